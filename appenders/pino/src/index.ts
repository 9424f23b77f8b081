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
export { contextMixin } from './context-mixin.js'
export { errorSerializer } from './error-serializer.js'
export { createDestination, MillraceDestination } from './millrace-destination.js'
export type {
  DestinationOptions,
  WorkerOptions,
  PinoAppenderOptions,
  TimestampFormat,
} from './pino-options.js'
export { createWorkerStream as default, DIAGNOSTIC_EVENT, STATE_EVENT } from './worker-stream.js'
export { workerTarget } from './worker-target.js'
