import type { ErrorCode } from './error-codes.js'

const kBrand = Symbol.for('millrace.error')

export interface ErrorDetails {
  /** Whether the same call can succeed later. Drives back-off and failover. */
  readonly retryable?: boolean
  /** The component that failed, as `kind name`. */
  readonly component?: string
  readonly cause?: unknown
  /** Plain data for programs; never a secret. */
  readonly details?: Readonly<Record<string, unknown>>
}

/**
 * The base of every error that Millrace throws on purpose. Ask with {@link MillraceError.is}, not
 * with `instanceof`: an ESM and a CommonJS copy of this package can meet in one process.
 */
export class MillraceError extends Error {
  readonly code: ErrorCode
  readonly retryable: boolean
  readonly component: string | undefined
  readonly details: Readonly<Record<string, unknown>> | undefined

  constructor(code: ErrorCode, message: string, options: ErrorDetails = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined)
    this.name = new.target.name
    this.code = code
    this.retryable = options.retryable ?? false
    this.component = options.component
    this.details = options.details
    Object.defineProperty(this, kBrand, { value: true })
  }

  /** True for an error of any copy of this package. */
  static is(value: unknown): value is MillraceError {
    return typeof value === 'object' && value !== null && Reflect.get(value, kBrand) === true
  }
}

type CodeOf<Prefix extends string> = Extract<ErrorCode, `MILLRACE_${Prefix}_${string}`>

/** A configuration that cannot be used (Flume's ConfigurationException). Never retryable. */
export class ConfigurationError extends MillraceError {
  declare readonly code: CodeOf<'CONFIG'>
  constructor(code: CodeOf<'CONFIG'>, message: string, options: ErrorDetails = {}) {
    super(code, message, options)
  }
}

/** A component in the wrong state, or one that failed to start or stop (LifecycleException). */
export class LifecycleError extends MillraceError {
  declare readonly code: CodeOf<'LIFECYCLE'>
  constructor(code: CodeOf<'LIFECYCLE'>, message: string, options: ErrorDetails = {}) {
    super(code, message, { retryable: code === 'MILLRACE_LIFECYCLE_START_FAILED', ...options })
  }
}

/** A channel that takes no batch (ChannelException). Only a full channel is worth a retry. */
export class ChannelError extends MillraceError {
  declare readonly code: CodeOf<'CHANNEL'>
  constructor(code: CodeOf<'CHANNEL'>, message: string, options: ErrorDetails = {}) {
    super(code, message, { retryable: code === 'MILLRACE_CHANNEL_FULL', ...options })
  }
}

/** A transaction used after its end: a bug of the caller. */
export class TransactionError extends MillraceError {
  constructor(message: string, options: ErrorDetails = {}) {
    super('MILLRACE_TRANSACTION_STATE', message, options)
  }
}

/** A disk that is full or failing. Worth a retry: disks heal. */
export class StorageError extends MillraceError {
  declare readonly code: CodeOf<'STORAGE'>
  constructor(code: CodeOf<'STORAGE'>, message: string, options: ErrorDetails = {}) {
    super(code, message, { retryable: true, ...options })
  }
}

/** A durable log that cannot be opened or used. A log in use may be free a moment later. */
export class LogError extends MillraceError {
  declare readonly code: CodeOf<'LOG'>
  constructor(code: CodeOf<'LOG'>, message: string, options: ErrorDetails = {}) {
    super(code, message, { retryable: code === 'MILLRACE_LOG_IN_USE', ...options })
  }
}

const RPC_FINAL: readonly ErrorCode[] = ['MILLRACE_RPC_PROTOCOL', 'MILLRACE_RPC_FRAME_TOO_LARGE']

/** A call or connection of Flume's RPC that failed (EventDeliveryException). */
export class RpcError extends MillraceError {
  declare readonly code: CodeOf<'RPC'>
  constructor(code: CodeOf<'RPC'>, message: string, options: ErrorDetails = {}) {
    super(code, message, { retryable: !RPC_FINAL.includes(code), ...options })
  }
}

/** Events that could not be handed over (EventDeliveryException). */
export class EventDeliveryError extends MillraceError {
  declare readonly code: CodeOf<'DELIVERY'>
  constructor(code: CodeOf<'DELIVERY'>, message: string, options: ErrorDetails = {}) {
    super(code, message, { retryable: code !== 'MILLRACE_DELIVERY_REJECTED', ...options })
  }
}

/** Bytes that are not the Avro that was expected. */
export class AvroError extends MillraceError {
  declare readonly code: CodeOf<'AVRO'>
  constructor(code: CodeOf<'AVRO'>, message: string, options: ErrorDetails = {}) {
    super(code, message, options)
  }
}

/** An option of a constructor that is not valid. */
export class OptionError extends MillraceError {
  constructor(message: string, options: ErrorDetails = {}) {
    super('MILLRACE_OPTION_INVALID', message, options)
  }
}

/** A request that cannot be understood (HTTPBadRequestException): the HTTP source answers 400. */
export class RequestError extends MillraceError {
  constructor(message: string, options: ErrorDetails = {}) {
    super('MILLRACE_REQUEST_INVALID', message, options)
  }
}

/** A file that a deserializer cannot read on, however often it is tried. */
export class InputError extends MillraceError {
  constructor(message: string, options: ErrorDetails = {}) {
    super('MILLRACE_INPUT_INVALID', message, options)
  }
}

/** The caller's signal was aborted. Its `name` is `AbortError`, as for Node's own. */
export class AbortError extends MillraceError {
  constructor(message = 'The operation was aborted', options: ErrorDetails = {}) {
    super('MILLRACE_ABORTED', message, options)
    this.name = 'AbortError'
  }
}

/** The message of anything that can be thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
