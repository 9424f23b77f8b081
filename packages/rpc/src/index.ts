export { AvroRpcClient, type AvroRpcClientOptions } from './client/avro-rpc-client.js'
export {
  type AttemptOptions,
  AvroRpcConnection,
  type AvroRpcConnectionOptions,
} from './client/avro-rpc-connection.js'
export type { ConnectionOptions } from './client/connector.js'
export { FailoverRpcClient, type FailoverRpcClientOptions } from './client/failover-rpc-client.js'
export { formatHostAddress, type HostAddress, parseHostAddress } from './client/host-list.js'
export {
  LoadBalancingRpcClient,
  type LoadBalancingRpcClientOptions,
} from './client/load-balancing-rpc-client.js'
export type { RpcCallOptions, RpcClient } from './client/rpc-client.js'
export {
  createRpcClient,
  type RpcClientDependencies,
  type RpcClientProperties,
} from './client/rpc-client-factory.js'
export type { KeepAliveOptions } from './net/keep-alive.js'
export { type KeyStore, readKeyStore, readTrustStore } from './net/pem-store.js'
export type { ClientTlsOptions, Pem, ServerTlsOptions } from './net/tls-options.js'
export type { MessageName } from './protocol/request-decoder.js'
export { AvroRpcServer, type AvroRpcServerOptions } from './server/avro-rpc-server.js'
export type { AvroRpcHandler, CallContext } from './server/handler.js'
export type { ServerLimits } from './server/limits.js'
export type { PeerQuotas } from './server/peer-quotas.js'
