export { AvroRpcClient, type AvroRpcClientOptions } from './client/avro-rpc-client.js'
export {
  type AttemptOptions,
  AvroRpcConnection,
  type AvroRpcConnectionOptions,
} from './client/avro-rpc-connection.js'
export type { ConnectionOptions } from './client/connector.js'
export type { RpcCallOptions, RpcClient } from './client/rpc-client.js'
export type { KeepAliveOptions } from './net/keep-alive.js'
export type { ClientTlsOptions, Pem, ServerTlsOptions } from './net/tls-options.js'
export { AvroRpcServer, type AvroRpcServerOptions } from './server/avro-rpc-server.js'
export type { AvroRpcHandler, CallContext } from './server/handler.js'
export type { ServerLimits } from './server/limits.js'
