export {
  activeTrace,
  APPENDER_METRICS,
  avro,
  avroList,
  closeOnSignals,
  DIAGNOSTICS_CHANNEL,
  metricSamples,
  optionsFromEnvironment,
} from '@millrace/appender'
export {
  close,
  configure,
  flush,
  mdc,
  type MillraceAppender,
  type MillraceAppenderConfig,
  states,
} from './configure.js'
export type { Mdc } from './mdc.js'
