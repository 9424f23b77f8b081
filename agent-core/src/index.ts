export { Agent, type AgentOptions, type StopReport } from './agent.js'
export type { OnBytes } from './processing/on-bytes.js'
export type { ReloadReport } from './assembly/replace-graph.js'
export type {
  AgentConfiguration,
  ChannelConfiguration,
  ComponentConfiguration,
  SinkConfiguration,
  SinkGroupConfiguration,
  SourceConfiguration,
} from './configuration/agent-configuration.js'
export {
  type ComponentDescription,
  describeComponents,
  type DocumentedComponent,
  type DocumentedProperty,
  documentComponents,
  type PropertyDescription,
} from './configuration/component-description.js'
export {
  ConfigurationWatcher,
  type ConfigurationWatcherOptions,
} from './configuration/configuration-watcher.js'
export { defineAgent, type AgentDefinition } from './configuration/documents/define-agent.js'
export type { OptionNote, ValueOrigin } from './configuration/explanation.js'
export { type Finding, type FindingCode, formatFinding } from './configuration/finding.js'
export {
  filesOf,
  type LoadConfigurationOptions,
  loadConfiguration,
  type LoadedConfiguration,
} from './configuration/load-configuration.js'
export { parseProperties, type PropertyEntry } from './configuration/properties.js'
export type { Metrics } from './monitoring/metrics.js'
export {
  type Monitoring,
  type MonitoringOptions,
  startMonitoring,
} from './monitoring/monitoring.js'
export { type BuiltinComponent, builtinComponents } from './registry.js'
export { REJECTED_AT, REJECTED_REASON, REJECTED_SINK } from './runners/dead-letters.js'
export {
  EmbeddedAgent,
  type EmbeddedAgentOptions,
  type EmbeddedEvent,
} from './embedded/embedded-agent.js'
export { EMBEDDED_AGENT_KEYS } from './embedded/embedded-keys.js'
