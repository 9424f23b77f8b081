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
export { attachContext } from './attach-context.js'
export { MillraceTransport, type MillraceTransportOptions } from './millrace-transport.js'
