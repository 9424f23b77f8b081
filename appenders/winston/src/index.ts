export { attachContext } from './attach-context.js'
export { MillraceTransport, type MillraceTransportOptions } from './millrace-transport.js'
