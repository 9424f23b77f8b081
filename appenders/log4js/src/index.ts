export {
  close,
  configure,
  flush,
  type MillraceAppender,
  type MillraceAppenderConfig,
  states,
} from './configure.js'
