// log4js itself loads the CommonJS build. An ESM copy beside it would not know its appenders: this
// door leads to the same one.
export {
  activeTrace,
  APPENDER_METRICS,
  avro,
  avroList,
  close,
  closeOnSignals,
  configure,
  DIAGNOSTICS_CHANNEL,
  flush,
  type Mdc,
  mdc,
  type MillraceAppender,
  type MillraceAppenderConfig,
  metricSamples,
  optionsFromEnvironment,
  states,
} from '#cjs'
