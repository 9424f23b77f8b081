import {
  type AgentConfiguration,
  formatFinding,
  loadConfiguration,
  type LoadConfigurationOptions,
  type LoadedConfiguration,
} from '@millrace/agent-core'
import { MillraceError } from '@millrace/runtime'
import { UsageError } from '../exit-code.js'
import type { ConfigurationOptions } from './agent-options.js'

export interface ReadConfiguration {
  /** Undefined when a finding is an error. */
  readonly configuration: AgentConfiguration | undefined
  /** The findings, one a line. */
  readonly lines: readonly string[]
}

/** @throws UsageError when the file cannot be read or has no such agent. */
export async function readConfiguration(
  options: ConfigurationOptions,
  environment: NodeJS.ProcessEnv,
): Promise<ReadConfiguration> {
  const { findings, isAgentKnown, configuration } = await load({
    file: options.confFile,
    agent: options.name,
    systemProperties: options.D,
    environment,
    lenient: options.lenient,
    ...(options.conf === undefined ? {} : { confDirectory: options.conf }),
  })
  const lines = findings.map(formatFinding)
  if (!isAgentKnown)
    throw new UsageError(`${options.confFile} has no agent named “${options.name}”`)
  return { configuration, lines }
}

async function load(options: LoadConfigurationOptions): Promise<LoadedConfiguration> {
  try {
    return await loadConfiguration(options)
  } catch (error) {
    if (MillraceError.is(error) && error.code === 'MILLRACE_CONFIG_UNREADABLE')
      throw new UsageError(error.message)
    throw error
  }
}
