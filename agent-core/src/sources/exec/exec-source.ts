import type { EventDrivenSource, SourceStartContext, StopOptions } from '@millrace/component'
import { EventBatch } from '@millrace/event'
import {
  AbortError,
  type Clock,
  delay,
  LifecycleError,
  type Logger,
  messageOf,
  throwIfAborted,
  type Timer,
  withDeadline,
} from '@millrace/runtime'
import { StubbornDelivery } from '../listener/stubborn-delivery.js'
import { ChildGroup } from './child-group.js'
import { OutputLines } from './output-lines.js'

export interface ExecSourceOptions {
  /** The program and its arguments. */
  readonly command: readonly string[]
  readonly restart: boolean
  readonly restartThrottleMs: number
  readonly logStdErr: boolean
  readonly batchSize: number
  readonly batchTimeoutMs: number
}

export interface ExecSourceHost {
  readonly logger: Logger
  readonly clock: Clock
}

/** Longest line in bytes; a longer one is cut. */
const MAX_LINE_BYTES = 128 * 1_024 * 1_024
/** Longest line of the error output that is logged, in characters. */
const MAX_LOGGED = 2_000
/** The command has this part of the deadline of a stop to end by itself. */
const PATIENCE = 0.5
const MAX_PATIENCE_MS = 3_000

/**
 * Nothing more is read from the command while the channel refuses its lines; they are put again until
 * they are stored. What the command does not wait for, and what it held when it ended, nobody has.
 */
export class ExecSource implements EventDrivenSource {
  readonly #options: ExecSourceOptions
  readonly #host: ExecSourceHost
  #life: ExecLife | undefined

  constructor(options: ExecSourceOptions, host: ExecSourceHost) {
    this.#options = options
    this.#host = host
  }

  /** @throws LifecycleError when the command cannot be started. */
  async start(context: SourceStartContext): Promise<void> {
    await this.stop({ deadlineMs: 0 })
    throwIfAborted(context.signal)
    const life = new ExecLife(this.#options, this.#host, context)
    this.#life = life
    try {
      await life.begin()
    } catch (cause) {
      if (this.#life === life) this.#life = undefined
      const [program] = this.#options.command
      const message = `${program} cannot be started: ${messageOf(cause)}`
      throw new LifecycleError('MILLRACE_LIFECYCLE_START_FAILED', message, { cause })
    }
    if (this.#life !== life || context.signal.aborted) {
      await life.end(0)
      throw new AbortError('The source was stopped while it started')
    }
  }

  /** Ends the command and all that it started, and stores the lines at hand within the deadline. */
  async stop({ deadlineMs }: StopOptions): Promise<void> {
    const life = this.#life
    this.#life = undefined
    await life?.end(deadlineMs)
  }
}

/** From a start to its stop: the command, and the command again. */
class ExecLife {
  readonly #options: ExecSourceOptions
  readonly #host: ExecSourceHost
  readonly #delivery: StubbornDelivery
  readonly #abort = new AbortController()
  /** Aborted when no further command is to be started. */
  readonly #ending = new AbortController()
  #group: ChildGroup | undefined
  #running: Promise<void> = Promise.resolve()

  constructor(options: ExecSourceOptions, host: ExecSourceHost, context: SourceStartContext) {
    this.#options = options
    this.#host = host
    this.#delivery = new StubbornDelivery({ ...host, context })
  }

  async begin(): Promise<void> {
    const group = await ChildGroup.start(this.#options.command, this.#host)
    this.#group = group
    if (this.#ending.signal.aborted) group.kill()
    this.#running = this.#run(group).catch((error: unknown) => {
      if (!this.#ending.signal.aborted) this.#host.logger.error('the source has ended', error)
    })
  }

  async end(deadlineMs: number): Promise<void> {
    this.#ending.abort()
    const { clock } = this.#host
    const patienceMs = Math.min(deadlineMs * PATIENCE, MAX_PATIENCE_MS)
    const ended = Promise.all([this.#group?.end(patienceMs), this.#running])
    const onLate = () => {
      this.#abort.abort()
      this.#group?.kill()
    }
    await withDeadline(
      ended.then(() => undefined),
      deadlineMs,
      onLate,
      clock,
    )
    this.#abort.abort()
  }

  async #run(first: ChildGroup): Promise<void> {
    const { restart, restartThrottleMs, command } = this.#options
    const { logger, clock } = this.#host
    const { signal } = this.#ending
    let group: ChildGroup | undefined = first
    for (;;) {
      if (group) await this.#follow(group)
      if (signal.aborted) return
      if (!restart) {
        logger.warn(`${command[0]} has ended and is not started again: restart is not set`)
        return
      }
      await delay(restartThrottleMs, { signal, clock })
      group = await ChildGroup.start(command, this.#host).catch((error: unknown) => {
        logger.error(`${command[0]} cannot be started`, error)
        return undefined
      })
      this.#group = group
      if (signal.aborted) group?.kill()
    }
  }

  /** Reads a command to its end. */
  async #follow(group: ChildGroup): Promise<void> {
    const errors = this.#drainErrors(group)
    const batcher = new LineBatcher(this.#options, this.#host, (lines) =>
      this.#delivery.deliver(EventBatch.of(lines.map((body) => ({ body }))), this.#abort.signal),
    )
    const output = new OutputLines(MAX_LINE_BYTES)
    try {
      for await (const chunk of group.output as AsyncIterable<Buffer>) {
        await batcher.add(output.add(chunk))
      }
    } catch (error) {
      // The output was closed because the stop did not wait any longer.
      if (!this.#ending.signal.aborted) throw error
    } finally {
      await batcher.add(output.end())
      await batcher.flush()
    }
    await errors
    const { code, signal } = await group.ended
    // What the command has left behind belongs to it.
    group.kill()
    const how = signal === null ? `with ${code}` : `by ${signal}`
    this.#host.logger.info(`${this.#options.command[0]} has ended ${how}`)
  }

  /** The error output is always read, or the command would wait for it. */
  async #drainErrors(group: ChildGroup): Promise<void> {
    const lines = new OutputLines(MAX_LOGGED)
    const log = (texts: readonly Buffer[]) => {
      if (!this.#options.logStdErr) return
      for (const text of texts) {
        this.#host.logger.info(`stderr: ${text.toString().slice(0, MAX_LOGGED)}`)
      }
    }
    try {
      for await (const chunk of group.errors as AsyncIterable<Buffer>) log(lines.add(chunk))
    } catch (error) {
      if (!this.#ending.signal.aborted) throw error
    }
    log(lines.end())
  }
}

/** Gathers lines until there are `batchSize`, or the first one has waited for `batchTimeout`. */
class LineBatcher {
  readonly #options: ExecSourceOptions
  readonly #host: ExecSourceHost
  readonly #deliver: (lines: readonly Buffer[]) => Promise<void>
  #lines: Buffer[] = []
  #timer: Timer | undefined
  /** Deliveries come one after the other. */
  #last: Promise<void> = Promise.resolve()

  constructor(
    options: ExecSourceOptions,
    host: ExecSourceHost,
    deliver: (lines: readonly Buffer[]) => Promise<void>,
  ) {
    this.#options = options
    this.#host = host
    this.#deliver = deliver
  }

  /** Resolves when no more than `batchSize` lines wait. */
  async add(lines: readonly Buffer[]): Promise<void> {
    const { batchSize, batchTimeoutMs } = this.#options
    for (const line of lines) this.#lines.push(line)
    while (this.#lines.length >= batchSize) await this.#send(batchSize)
    if (this.#lines.length === 0 || this.#timer) return
    this.#timer = this.#host.clock.after(batchTimeoutMs, () => {
      this.#timer = undefined
      // A failure is told by the next call.
      this.#send(batchSize).catch(() => undefined)
    })
  }

  async flush(): Promise<void> {
    while (this.#lines.length > 0) await this.#send(this.#options.batchSize)
    this.#timer?.cancel()
    this.#timer = undefined
    await this.#last
  }

  #send(count: number): Promise<void> {
    const part = this.#lines.splice(0, count)
    this.#last = this.#last.then(() => (part.length > 0 ? this.#deliver(part) : undefined))
    return this.#last
  }
}
