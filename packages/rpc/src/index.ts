export type { ClientTlsOptions, Pem, ServerTlsOptions } from './net/tls-options.js'
export { AvroRpcServer, type AvroRpcServerOptions } from './server/avro-rpc-server.js'
export type { AvroRpcHandler, CallContext } from './server/handler.js'
export type { ServerLimits } from './server/limits.js'
