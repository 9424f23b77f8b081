export { type Clock, systemClock, type Timer } from './clock.js'
export { Backoff, type BackoffOptions } from './backoff.js'
export { ERROR_CODES, type ErrorCode } from './error-codes.js'
export {
  AbortError,
  AvroError,
  ChannelError,
  ConfigurationError,
  type ErrorDetails,
  EventDeliveryError,
  InputError,
  LifecycleError,
  LogError,
  MillraceError,
  messageOf,
  OptionError,
  RequestError,
  RpcError,
  StorageError,
  TransactionError,
} from './errors.js'
export {
  createLogger,
  LOG_LEVELS,
  type Logger,
  type LoggerOptions,
  type LogLevel,
  RateLimit,
  silentLogger,
} from './logger.js'
export {
  DEFAULT_MAX_BACKOFF_MS,
  OrderSelector,
  type OrderSelectorOptions,
  RandomOrderSelector,
  RoundRobinOrderSelector,
} from './order-selector.js'
export { type Random, seededRandom } from './random.js'
export {
  abortable,
  abortReason,
  type Deferred,
  deferred,
  delay,
  throwIfAborted,
  type WaitOptions,
  withDeadline,
} from './waiting.js'
