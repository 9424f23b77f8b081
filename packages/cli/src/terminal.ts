/**
 * Standard output and error, held so that neither can hurt the process: a reader that goes away
 * (EPIPE) is noted and what follows is dropped; a reader that stalls costs a bounded amount of memory.
 */
import type { Writable } from 'node:stream'

/** Log lines waiting for a stalled reader, in bytes; further ones are dropped and counted. */
const MAX_PENDING_BYTES = 1024 * 1024
/** How long the end of the process waits for its last lines to leave, in milliseconds. */
const FLUSH_TIMEOUT_MS = 1_000

/** A stream of text lines to the outside. */
export class LineOutput {
  readonly #stream: Writable & { isTTY?: boolean }
  #isOpen = true
  #dropped = 0
  #onClosed: (() => void) | undefined

  constructor(stream: Writable & { isTTY?: boolean }) {
    this.#stream = stream
    stream.on('error', () => {
      this.#isOpen = false
      this.#onClosed?.()
    })
  }

  /** False once the reader has gone. */
  get isOpen(): boolean {
    return this.#isOpen
  }

  get isTerminal(): boolean {
    return this.#stream.isTTY === true
  }

  /** Called once when the reader goes away. */
  whenClosed(callback: () => void): void {
    this.#onClosed = callback
  }

  /** Writes text that ends in a newline, or drops it when the reader is gone or stalls. */
  write(text: string): void {
    if (!this.#isOpen) return
    if (this.#stream.writableLength > MAX_PENDING_BYTES) {
      this.#dropped += 1
      return
    }
    if (this.#dropped > 0) {
      const dropped = this.#dropped
      this.#dropped = 0
      this.#stream.write(`(${dropped} lines were dropped: nobody read them)\n`)
    }
    this.#stream.write(text)
  }

  /** Writes text and resolves when more may come; it resolves at once when the reader is gone. */
  async writeAll(text: string, signal: AbortSignal): Promise<void> {
    if (!this.#isOpen || this.#stream.write(text) || signal.aborted) return
    await new Promise<void>((resolve) => {
      const done = () => {
        this.#stream.off('drain', done)
        this.#stream.off('error', done)
        signal.removeEventListener('abort', done)
        resolve()
      }
      this.#stream.on('drain', done)
      this.#stream.on('error', done)
      signal.addEventListener('abort', done)
    })
  }

  /** Resolves when everything written has left, the reader has gone, or a second has passed. */
  async flush(): Promise<void> {
    if (!this.#isOpen || this.#stream.writableLength === 0) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, FLUSH_TIMEOUT_MS)
      this.#stream.write('', () => {
        clearTimeout(timer)
        resolve()
      })
    })
  }
}

/** Everything that a command may touch of its surroundings. */
export interface Terminal {
  readonly stdout: LineOutput
  readonly stderr: LineOutput
  readonly environment: NodeJS.ProcessEnv
}

/** The terminal of this process. */
export function processTerminal(): Terminal {
  return {
    stdout: new LineOutput(process.stdout),
    stderr: new LineOutput(process.stderr),
    environment: process.env,
  }
}

/** Whether to colour an output: NO_COLOR and FORCE_COLOR decide, else whether a person looks at it. */
export function wantsColour(output: LineOutput, environment: NodeJS.ProcessEnv): boolean {
  if (environment['NO_COLOR']) return false
  const force = environment['FORCE_COLOR']
  if (force !== undefined) return force !== '0' && force !== 'false'
  return output.isTerminal && environment['TERM'] !== 'dumb'
}
