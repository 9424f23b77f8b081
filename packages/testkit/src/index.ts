export { type ChannelContract, channelContract, type ChannelLimits } from './contract/channel.js'
export { type DeserializerContract, deserializerContract } from './contract/deserializer.js'
export {
  type HttpHandlerContract,
  httpHandlerContract,
  type HttpHandlerExample,
} from './contract/http-handler.js'
export {
  type InterceptorContract,
  interceptorContract,
  type InterceptorExample,
} from './contract/interceptor.js'
export { createContext, type Settings, type Surroundings } from './contract/making.js'
export { type MonitorContract, monitorContract, type MonitorPeer } from './contract/monitor.js'
export { watchResources } from './contract/resources.js'
export {
  type SelectorContract,
  selectorContract,
  type SelectorExample,
} from './contract/selector.js'
export { type RpcClientContract, rpcClientContract } from './contract/rpc-client.js'
export { type SerializerContract, serializerContract } from './contract/serializer.js'
export { type SinkContract, sinkContract, type SinkPeer } from './contract/sink.js'
export { type SinkProcessorContract, sinkProcessorContract } from './contract/sink-processor.js'
export { type SourceContract, sourceContract, type SourcePeer } from './contract/source.js'
export type { TestGlobals } from './contract/test-globals.js'
export { FakeClock } from './fake-clock.js'
export {
  DISK_CALLS,
  type DiskCall,
  type DiskCallKind,
  type DiskFault,
  FaultPlan,
} from './fault/disk/fault-plan.js'
export { SECTOR_BYTES } from './fault/disk/file-content.js'
export { SimulatedDisk } from './fault/disk/simulated-disk.js'
export type { Faults } from './fault/fault-pipe.js'
export { type FaultConnection, FaultProxy, type FaultProxyOptions } from './fault/fault-proxy.js'
export { until, type UntilOptions } from './until.js'
