export { contextMixin } from './context-mixin.js'
export { createDestination, MillraceDestination } from './millrace-destination.js'
export type {
  DestinationOptions,
  PinoAppenderOptions,
  TimestampFormat,
} from './pino-options.js'
export { createWorkerStream as default } from './worker-stream.js'
