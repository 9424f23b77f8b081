import { writeSync } from 'node:fs'
import { debuglog } from 'node:util'
import { isMainThread } from 'node:worker_threads'
import { messageOf } from '@millrace/runtime'
import type { Diagnostic, DiagnosticListener } from './diagnostics.js'

/** Where reports go. */
export interface DiagnosticOutput {
  report(diagnostic: Diagnostic): void
  /** Writes what waits before it returns, as the process may end then. Not inside a logger's call. */
  flush(): void
}

/** Calls the application. */
export class ListenerOutput implements DiagnosticOutput {
  readonly report: DiagnosticListener

  constructor(listener: DiagnosticListener) {
    this.report = listener
  }

  flush(): void {}
}

/** Lines on stderr, or with `debug` only under `NODE_DEBUG=millrace`. */
export class LineOutput implements DiagnosticOutput {
  readonly #target: 'stderr' | 'debug' | 'off'
  readonly #debug = debuglog('millrace')
  #lines: string[] = []

  constructor(target: 'stderr' | 'debug' | 'off') {
    this.#target = target
  }

  report(diagnostic: Diagnostic): void {
    if (this.#target === 'off') return
    const line = toLine(diagnostic)
    if (this.#target === 'debug' || this.#debug.enabled) {
      this.#debug('%s', line)
      return
    }
    this.#lines.push(line)
    // Not inside the logger's call: some kinds of stderr block.
    if (this.#lines.length === 1) setImmediate(() => writeToStderr(this.#take())).unref()
  }

  flush(): void {
    const text = this.#take()
    if (isMainThread) writeToStderr(text)
    else writeBesideMainThread(text)
  }

  #take(): string {
    const lines = this.#lines
    this.#lines = []
    return lines.map((line) => `${line}\n`).join('')
  }
}

function writeToStderr(text: string): void {
  if (text === '') return
  const { stderr } = process
  // A reader that has gone away must not end the application.
  stderr.once('error', ignore)
  stderr.write(text, (error) => {
    if (!error) stderr.off('error', ignore)
  })
}

/** A thread's stderr goes through the main thread, which may have ceased to listen. */
function writeBesideMainThread(text: string): void {
  try {
    if (text !== '') writeSync(2, text)
  } catch {
    // Nobody reads it, and there is no other place to say so.
  }
}

function ignore(): void {}

function toLine({ kind, message, count, error }: Diagnostic): string {
  const unit = kind === 'dropped' || kind === 'process-end' ? 'events' : 'times'
  const many = count > 1 ? ` (${count} ${unit})` : ''
  const reason = messageOf(error)
  const tail = error === undefined || message.includes(reason) ? '' : `: ${reason}`
  return `millrace appender: ${kind}: ${message}${tail}${many}`
}
