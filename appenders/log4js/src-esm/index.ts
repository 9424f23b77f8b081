// log4js itself loads the CommonJS build. An ESM copy beside it would not know its appenders: this
// door leads to the same one.
export {
  close,
  configure,
  flush,
  type Mdc,
  mdc,
  type MillraceAppender,
  type MillraceAppenderConfig,
  states,
} from '#cjs'
