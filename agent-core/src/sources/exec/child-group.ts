import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { type Clock, delay, deferred, type Logger, messageOf } from '@millrace/runtime'

/** How a process ended. */
export interface ChildEnd {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/**
 * Waits until its parent is gone, which closes its input, and then ends the process group. It is in
 * no group with anybody, so nothing that ends those ends it.
 */
const WATCH = 'read -r _ ; kill -s KILL -- "-$1" 2>/dev/null'

/**
 * A process and all that it starts, as one group. No part of it is left behind: {@link ChildGroup.end}
 * ends the group, and when this process is killed, a watcher does. (Windows has no groups and no
 * watcher: there the process alone is ended.)
 */
export class ChildGroup {
  readonly #child: ChildProcess
  readonly #clock: Clock
  readonly #ended = deferred<ChildEnd>()
  #watcher: ChildProcess | undefined
  #hasExited = false

  private constructor(child: ChildProcess, clock: Clock) {
    this.#child = child
    this.#clock = clock
    child.once('exit', () => {
      this.#hasExited = true
    })
    // `close` comes when the process is gone and its output is read to the end.
    child.once('close', (code, signal) => {
      this.#unwatch()
      this.#ended.resolve({ code, signal })
    })
  }

  /**
   * Starts a program with its arguments.
   * @throws an error of the system when it cannot be started.
   */
  static async start(
    command: readonly string[],
    host: { readonly logger: Logger; readonly clock: Clock },
  ): Promise<ChildGroup> {
    const [program = '', ...args] = command
    const child = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: process.platform !== 'win32',
    })
    const group = new ChildGroup(child, host.clock)
    await once(child, 'spawn')
    group.#watch(host.logger)
    return group
  }

  get output(): Readable {
    return this.#child.stdout ?? neverThere('stdout')
  }

  get errors(): Readable {
    return this.#child.stderr ?? neverThere('stderr')
  }

  /** Resolves when it is gone and its output is read. */
  get ended(): Promise<ChildEnd> {
    return this.#ended.promise
  }

  /** Asks the group to end, and after `patienceMs` ends it. */
  async end(patienceMs: number): Promise<void> {
    this.#signal('SIGTERM')
    const late = new AbortController()
    const waiting = delay(patienceMs, { signal: late.signal, clock: this.#clock })
    await Promise.race([this.#ended.promise, waiting.catch(() => undefined)])
    late.abort()
    this.kill()
    // What is left of the output is of no use to anybody: an heir may hold it open.
    this.#child.stdout?.destroy()
    this.#child.stderr?.destroy()
  }

  /** Ends the group at once. */
  kill(): void {
    this.#signal('SIGKILL')
  }

  #signal(signal: NodeJS.Signals): void {
    const { pid } = this.#child
    if (pid === undefined) return
    try {
      if (process.platform !== 'win32') process.kill(-pid, signal)
      else if (!this.#hasExited) this.#child.kill(signal)
    } catch {
      // Nobody of the group is left.
    }
  }

  #watch(logger: Logger): void {
    const { pid } = this.#child
    if (process.platform === 'win32' || pid === undefined || this.#hasExited) return
    const watcher = spawn('/bin/sh', ['-c', WATCH, 'watch', String(pid)], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    })
    watcher.on('error', (error) => {
      const harm = 'the command would outlive an agent that is killed'
      logger.warn(`no watcher could be started, and ${harm}: ${messageOf(error)}`)
    })
    watcher.stdin.on('error', () => undefined)
    watcher.unref()
    this.#watcher = watcher
  }

  #unwatch(): void {
    this.#watcher?.kill('SIGKILL')
    this.#watcher?.stdin?.destroy()
    this.#watcher = undefined
  }
}

function neverThere(name: string): never {
  throw new TypeError(`A child without ${name}`)
}
