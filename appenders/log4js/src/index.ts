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
