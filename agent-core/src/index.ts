export type {
  AgentConfiguration,
  ChannelConfiguration,
  ComponentConfiguration,
  SinkConfiguration,
  SinkGroupConfiguration,
  SourceConfiguration,
} from './configuration/agent-configuration.js'
export { type Finding, formatFinding } from './configuration/finding.js'
