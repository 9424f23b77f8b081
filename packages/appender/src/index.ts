export { activeTrace, type TraceApi } from './active-trace.js'
export { Appender, type AppenderDefaults } from './appender.js'
export {
  type AppenderState,
  DROP_REASONS,
  type DropReason,
  type HostState,
  type HostStateName,
  type RpcOutcome,
} from './appender-state.js'
export {
  type Closeable,
  closeOnSignals,
  type CloseOnSignalsOptions,
} from './close-on-signals.js'
export type { DeadLetter, DeadLetterListener } from './dead-letter/dead-letter.js'
export type { Diagnostic, DiagnosticKind, DiagnosticListener } from './diagnostics.js'
export { DIAGNOSTICS_CHANNEL } from './diagnostics-channel.js'
export { optionsFromEnvironment } from './environment-options.js'
export type { EventMapper } from './event-mapper.js'
export {
  type AvroDatum,
  LOG4J_LEVEL,
  LOG4J_LEVEL_NAMES,
  type Log4jLevel,
  type Log4jLevelName,
  type LogOrigin,
  type LogRecord,
  type LogSource,
} from './log-record.js'
export * from './mapping/index.js'
export { APPENDER_METRICS, type MetricSample, metricSamples } from './metrics.js'
export type {
  AppenderOptions,
  AppenderTlsOptions,
  BackoffOption,
  BatchOptions,
  DeadLetterOptions,
  HeaderCapsOption,
  HostOption,
  LevelOption,
  QueueOptions,
  QueuePolicy,
  Strategy,
} from './options/appender-options.js'
export {
  type AppenderSettings,
  appenderOptions,
  checkAppenderOptions,
} from './options/appender-option-group.js'
export {
  callback,
  checkOptions,
  flag,
  group,
  integer,
  isPlainObject,
  later,
  milliseconds,
  type OptionCheck,
  type OptionGroup,
  type OptionValues,
  oneOf,
  pickOptions,
  show,
  text,
} from './options/option-check.js'
