import { Writable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import { parentPort, workerData } from 'node:worker_threads'
import { Appender, checkAppenderOptions, createEventMapper } from '@millrace/appender'
import { systemClock } from '@millrace/runtime'
import { LineRecords, type PinoConfig } from './line-record.js'
import {
  ADAPTER_OPTIONS,
  checkPinoOptions,
  checkWorkerOptions,
  WORKER_OPTIONS,
  type WorkerOptions,
} from './pino-options.js'

/** pino gives a worker 10 s to end and then kills it: so long may the last deliveries take. */
export const MAX_CLOSE_MS = 9_000
/** Event of the transport in the application's thread: a flush ended at its deadline. */
export const FLUSH_DEADLINE = 'flush-deadline'
/** Event of the transport: a report of the appender, `{ kind, message, count }`. */
export const DIAGNOSTIC_EVENT = 'diagnostic'
/** Event of the transport: counters and the state of the receivers, every `stateEventMs`. */
export const STATE_EVENT = 'state'
/** How long to wait for what pino tells about its logger, before the defaults must do. */
const CONFIG_WAIT_MS = 1_000

/**
 * The stream that pino's worker thread writes to. It takes all it gets at once: the ring between the
 * threads never stops, and the appender's queue with its limits is the only one that fills.
 */
export class WorkerStream extends Writable {
  readonly #appender: Appender
  readonly #records: LineRecords
  readonly #decoder = new StringDecoder('utf8')
  readonly #closeTimeoutMs: number
  readonly #stateTimer: NodeJS.Timeout | undefined
  #rest = ''

  /** @throws OptionError that names the option. */
  constructor(options: WorkerOptions, config: PinoConfig) {
    checkPinoOptions(options)
    const { stateEventMs } = checkWorkerOptions(options)
    const settings = checkAppenderOptions(options, OWN_OPTIONS)
    super({ decodeStrings: false })
    // The thread is pino's, not the application's: it names no worker of anybody's.
    const mapper = createEventMapper(
      { ...settings, loggerName: 'pino' },
      { identity: { worker: undefined } },
    )
    this.#appender = new Appender(options, {
      loggerName: 'pino',
      adapterOptions: OWN_OPTIONS,
      mapper,
      // Functions cannot come here, so the application hears it as an event.
      onReport: ({ kind, message, count }) =>
        emitOnTransport(DIAGNOSTIC_EVENT, { kind, message, count }),
    })
    if (stateEventMs > 0) {
      const emitState = (): void => emitOnTransport(STATE_EVENT, this.#appender.state())
      this.#stateTimer = setInterval(emitState, stateEventMs).unref()
    }
    this.#records = new LineRecords(options, config)
    this.#closeTimeoutMs = Math.min(settings.closeTimeoutMs, MAX_CLOSE_MS)
  }

  override _write(
    chunk: string | Uint8Array,
    _encoding: BufferEncoding,
    done: (error?: Error | null) => void,
  ): void {
    const text = typeof chunk === 'string' ? chunk : this.#decoder.write(Buffer.from(chunk))
    const lines = text.split('\n')
    const last = lines.length - 1
    for (let i = 0; i < last; i += 1) {
      const line = i === 0 ? this.#rest + (lines[0] ?? '') : (lines[i] ?? '')
      this.#append(line)
    }
    this.#rest = last === 0 ? this.#rest + text : (lines[last] ?? '')
    done()
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#append(this.#rest)
    this.#rest = ''
    clearInterval(this.#stateTimer)
    const finished = (): void => process.nextTick(done)
    this.#appender.close({ timeoutMs: this.#closeTimeoutMs }).then(finished, finished)
  }

  /**
   * Called by pino's worker for `logger.flush(callback)`. At its deadline it calls back, too, without
   * an error, for which pino would end the worker; the transport emits {@link FLUSH_DEADLINE} before.
   */
  flush(done?: () => void): Promise<boolean> {
    const flushed = this.#flush()
    if (typeof done === 'function') void flushed.then(() => process.nextTick(done))
    return flushed
  }

  async #flush(): Promise<boolean> {
    const isSettled = await this.#appender.flush()
    if (!isSettled) emitOnTransport(FLUSH_DEADLINE)
    return isSettled
  }

  #append(line: string): void {
    if (line === '') return
    for (const record of this.#records.all(line)) this.#appender.append(record)
  }
}

/**
 * What pino's worker calls: makes the stream for `transport: { target: '@millrace/pino', options }`.
 * @throws OptionError that names the option; pino reports it as the transport's 'error'.
 */
export async function createWorkerStream(options: WorkerOptions): Promise<WorkerStream> {
  // pino and its thread put marks of their own among the options.
  const { $context: _, pinoWillSendConfig: __, ...own } = options as WorkerOptions & Marks
  return new WorkerStream(own, await pinoConfig())
}

const OWN_OPTIONS: readonly string[] = [...ADAPTER_OPTIONS, ...WORKER_OPTIONS]

interface Marks {
  readonly $context?: unknown
  readonly pinoWillSendConfig?: unknown
}

/** As thread-stream has it for events of the worker. */
function emitOnTransport(name: string, ...args: readonly unknown[]): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port, not a window
  parentPort?.postMessage({ code: 'EVENT', name, args })
}

/** Levels and keys of the logger: pino sends them once, when it says so in the worker's data. */
async function pinoConfig(): Promise<PinoConfig> {
  const port = parentPort
  const data = workerData as { workerData?: { pinoWillSendConfig?: boolean } } | null
  if (port === null || data?.workerData?.pinoWillSendConfig !== true) return {}
  return new Promise<PinoConfig>((resolve) => {
    const settle = (config: PinoConfig): void => {
      timer.cancel()
      port.off('message', onMessage)
      resolve(config)
    }
    const onMessage = (message: { code?: string; config?: PinoConfig } | null): void => {
      if (message?.code === 'PINO_CONFIG') settle(message.config ?? {})
    }
    const timer = systemClock.after(CONFIG_WAIT_MS, () => settle({}))
    port.on('message', onMessage)
  })
}
