import type { DiagnosticListener } from '../diagnostics.js'
import type { DeadLetterListener } from '../dead-letter/dead-letter.js'
import type { MappingOptions } from '../mapping/index.js'

/**
 * The options of an appender. All but the function forms are plain data, so that they can be passed
 * to a worker thread. What is not known here is refused with an `OptionError` that names it.
 */
export interface AppenderOptions extends MappingOptions {
  /** The receivers: `'host:port'`, `{ host, port, weight }`, or Flume's `'h1:p1 h2:p2'`. */
  readonly hosts: string | readonly (string | HostOption)[]
  /** How each batch finds its receiver. Default `round_robin`. */
  readonly strategy?: Strategy | undefined
  /** TLS with Node's option names; `true` takes Node's certificate authorities. Default off. */
  readonly tls?: boolean | AppenderTlsOptions | undefined
  /** Compression of the connection. Default `none`. */
  readonly compression?: 'none' | 'deflate' | undefined
  /** Which of the two is outermost when both are on: Flume 1.10 and later, or 1.9 and before. */
  readonly tlsDeflateOrder?: 'v1.10' | 'v1.9' | undefined
  /** Independent pipelines; the events of one logger name stay in one and in order. Default 1. */
  readonly lanes?: number | undefined
  /** Batches on the way at the same time in one lane; more than 1 gives up their order. Default 1. */
  readonly maxInFlight?: number | undefined
  readonly queue?: QueueOptions | undefined
  readonly batch?: BatchOptions | undefined
  /** Only records of these levels, by the logger's own names: a range that a minimum cannot say. */
  readonly levels?: readonly string[] | undefined
  /** Events of this level and above are sent without waiting for `batch.lingerMs`. Default `error`. */
  readonly urgentLevel?: LevelOption | 'off' | undefined
  /** Longest wait for a connection. Default 5,000 ms. */
  readonly connectTimeoutMs?: number | undefined
  /** Longest wait for the answer to a batch; then it is sent again. Default 20,000 ms. */
  readonly requestTimeoutMs?: number | undefined
  readonly backoff?: BackoffOption | undefined
  /** Renews a connection of this age (± 20 %), so that balancers in between can spread. 0: never. */
  readonly maxConnectionAgeMs?: number | undefined
  /** Renews connections after the process stood still for so long. Default 60,000 ms; 0: never. */
  readonly idleCheckMs?: number | undefined
  /** Default deadline of `flush`. Default 5,000 ms. */
  readonly flushTimeoutMs?: number | undefined
  /** Default deadline of `close`. Default 5,000 ms. */
  readonly closeTimeoutMs?: number | undefined
  /**
   * How long the process is kept alive at its natural end, while events wait. Default 5,000 ms; 0: they
   * are lost.
   */
  readonly exitTimeoutMs?: number | undefined
  /** Largest body; longer texts are cut. Default 1 MiB. */
  readonly maxEventBytes?: number | undefined
  readonly headerCaps?: HeaderCapsOption | undefined
  /** Where events go that no receiver takes: a folder for NDJSON files, or a function. */
  readonly deadLetter?: DeadLetterOptions | DeadLetterListener | undefined
  /** Where the appender reports trouble of its own. Default `stderr`. */
  readonly diagnostics?: 'stderr' | 'debug' | 'off' | undefined
  /** Gets each report instead; for use in the process that logs only. */
  readonly onDiagnostic?: DiagnosticListener | undefined
}

export type Strategy = 'round_robin' | 'random' | 'weighted' | 'least_pending' | 'failover'
export type LevelOption = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal'

export interface HostOption {
  readonly host: string
  readonly port: number
  /** Share of the batches under `strategy: 'weighted'`. Default 1. */
  readonly weight?: number | undefined
}

/** Node's names (`tls.connect`). The chain and the host name are verified unless told otherwise. */
export interface AppenderTlsOptions {
  /** What PEM files hold, not their paths; the same for `cert` and `key`. */
  readonly ca?: string | Uint8Array | readonly (string | Uint8Array)[] | undefined
  readonly cert?: string | Uint8Array | undefined
  readonly key?: string | Uint8Array | undefined
  /** What a PKCS#12 file holds, in place of `cert` and `key`. */
  readonly pfx?: Uint8Array | undefined
  readonly passphrase?: string | undefined
  readonly servername?: string | undefined
  readonly rejectUnauthorized?: boolean | undefined
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3' | undefined
  readonly maxVersion?: 'TLSv1.2' | 'TLSv1.3' | undefined
  readonly ciphers?: string | undefined
}

export type QueuePolicy = 'drop-oldest' | 'drop-newest' | 'drop-below-level' | 'spool'

export interface QueueOptions {
  /** What gives way when the queue is full. Default `drop-oldest`. */
  readonly policy?: QueuePolicy | undefined
  /** Events held in memory, with those on the way. Default 10,000. */
  readonly maxEvents?: number | undefined
  /** Their encoded bytes. Default 32 MiB. */
  readonly maxBytes?: number | undefined
  /** Events older than this are dropped when their turn comes. 0: never (default). */
  readonly maxAgeMs?: number | undefined
  /** For `drop-below-level`: events below this level give way first. Default `warn`. */
  readonly level?: LevelOption | undefined
  /** For `spool`: where the spools of all processes are, each in a directory of its own. */
  readonly directory?: string | undefined
  /** For `spool`: bytes on the disk of this process, what it adopted included. Default 512 MiB. */
  readonly maxDiskBytes?: number | undefined
  /** For `spool`: bytes that the file system keeps free. Default 64 MiB. */
  readonly minFreeBytes?: number | undefined
  /**
   * For `spool`: when a log call returns, the operating system has the record (`write`, default), or the disk
   * has it (`sync`: each call waits for it).
   */
  readonly durability?: 'write' | 'sync' | undefined
  /** For `spool`: time between two looks for spools of ended processes. Default 10,000. */
  readonly adoptIntervalMs?: number | undefined
}

export interface BatchOptions {
  /** Default 100: what a stock agent's channel takes in one transaction. */
  readonly maxEvents?: number | undefined
  /** Default 1 MiB. A larger event travels alone. */
  readonly maxBytes?: number | undefined
  /** How long an event waits for others. Default 200. */
  readonly lingerMs?: number | undefined
}

/** Delay before a receiver that failed is tried again: a random part of min × 2ⁿ, at most max. */
export interface BackoffOption {
  /** Default 1,000. */
  readonly minMs?: number | undefined
  /** Default 30,000. */
  readonly maxMs?: number | undefined
}

export interface HeaderCapsOption {
  /** Longest value of one header. Default 8 KiB. */
  readonly maxValueBytes?: number | undefined
  /** All headers of one event. Default 32 KiB. */
  readonly maxEventBytes?: number | undefined
}

export interface DeadLetterOptions {
  /** Made when it is first needed; the file in it is `dead-letters.ndjson`. */
  readonly directory: string
  /** The file's largest size; beyond it dead letters count as dropped. Default 64 MiB. */
  readonly maxBytes?: number | undefined
}
