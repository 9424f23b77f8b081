export {
  close,
  configure,
  flush,
  type MillraceAppender,
  type MillraceAppenderConfig,
} from './configure.js'
