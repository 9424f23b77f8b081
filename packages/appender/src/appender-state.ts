/** Why events were given up. Each is a counter in {@link AppenderState.dropped}. */
export const DROP_REASONS = [
  /** The queue was full and its policy chose this event. */
  'overflow',
  /** Older than `queue.maxAgeMs`. */
  'expired',
  /** Larger than the limit, without a dead letter to go to. */
  'oversize',
  /** The mapper failed on the record. */
  'encode',
  /** No receiver takes it, without a dead letter to go to (or that failed). */
  'rejected',
  /** Logged after `close`. */
  'closed',
  /** Not delivered when the deadline of `close` came. */
  'close-deadline',
  /** Lost in the spool: what stood there could not be read any more. */
  'damaged',
] as const
export type DropReason = (typeof DROP_REASONS)[number]

/** `idle`: no connection and no known trouble. `probing`: tried again after a failure. */
export type HostStateName = 'idle' | 'connected' | 'backing-off' | 'probing'

export interface HostState {
  /** `host:port`. */
  readonly host: string
  readonly state: HostStateName
  /** Failures since the last acknowledged batch. */
  readonly failures: number
  /** Connections made so far. */
  readonly connects: number
  /** Events acknowledged by this receiver. */
  readonly delivered: number
  /** Batches on the way to it. */
  readonly pending: number
  /** Epoch milliseconds of the last acknowledged batch. */
  readonly lastSuccessAt: number | undefined
}

/**
 * A snapshot of an appender. At every instant
 * accepted + recovered = delivered + deadLettered + all of dropped + queued + spooled + inFlight.
 */
export interface AppenderState {
  /** Records given to `append`. */
  readonly accepted: number
  /** Events found in the spools of processes that have ended. */
  readonly recovered: number
  /** Events that a receiver acknowledged. */
  readonly delivered: number
  readonly deadLettered: number
  readonly dropped: Readonly<Record<DropReason, number>>
  /** Events that wait in memory. */
  readonly queued: number
  /** Events that wait in the spool and not in memory. */
  readonly spooled: number
  /** Events on the way to a receiver or into a dead letter. */
  readonly inFlight: number
  /** Events sent again, each time counted. */
  readonly resent: number
  /** Refused batches that were halved. */
  readonly split: number
  readonly queue: {
    readonly events: number
    readonly bytes: number
    /** How long the first event has waited, in milliseconds; 0 when nothing waits. */
    readonly oldestAgeMs: number
  }
  /** With `queue.policy: 'spool'`. */
  readonly spool: SpoolState | undefined
  /** Calls by outcome. */
  readonly rpc: Readonly<Record<RpcOutcome, number>>
  readonly rpcLatencyMs: {
    readonly count: number
    readonly sum: number
    readonly max: number
    /** Calls that took at most so many milliseconds, cumulated. */
    readonly buckets: readonly { readonly atMost: number; readonly count: number }[]
  }
  readonly hosts: readonly HostState[]
  /** Epoch milliseconds of the last acknowledged batch. */
  readonly lastSuccessAt: number | undefined
  readonly isClosed: boolean
}

export interface SpoolState {
  /** Bytes of the files, those of adopted spools included. */
  readonly bytes: number
  /** False while the disk is full or fails: events are then held in memory only. */
  readonly isWritable: boolean
  /** Records that were accepted while it was not. */
  readonly unspooled: number
  /** Spools of processes that have ended, which are being delivered. */
  readonly adopted: number
}

/** `ok`: acknowledged. `failed`: refused. `timeout`: no answer in time. `error`: anything else. */
export type RpcOutcome = 'ok' | 'failed' | 'timeout' | 'error'
