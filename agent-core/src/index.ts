export type {
  AgentConfiguration,
  ChannelConfiguration,
  ComponentConfiguration,
  SinkConfiguration,
  SinkGroupConfiguration,
  SourceConfiguration,
} from './configuration/agent-configuration.js'
export { type Finding, type FindingCode, formatFinding } from './configuration/finding.js'
export {
  type LoadConfigurationOptions,
  loadConfiguration,
  type LoadedConfiguration,
} from './configuration/load-configuration.js'
export { type BuiltinComponent, builtinComponents } from './registry.js'
