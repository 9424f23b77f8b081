import {
  type AgentConfiguration,
  filesOf,
  formatFinding,
  loadConfiguration,
  type LoadConfigurationOptions,
  type LoadedConfiguration,
  type OptionNote,
} from '@millrace/agent-core'
import { MillraceError } from '@millrace/runtime'
import { UsageError } from '../exit-code.js'
import type { ConfigurationOptions } from './agent-options.js'

export interface ReadConfiguration {
  /** Undefined when a finding is an error. */
  readonly configuration: AgentConfiguration | undefined
  /** The findings, one a line. */
  readonly lines: readonly string[]
  /** Every key with its value and where that comes from. */
  readonly notes: readonly OptionNote[]
}

/**
 * What to load for which agent, as the command line says.
 * @throws UsageError when it names nothing.
 */
export function configurationSource(
  options: ConfigurationOptions,
  environment: NodeJS.ProcessEnv,
): LoadConfigurationOptions {
  const { confFile = [], confUri = [], confUser, confPassword } = options
  const file = [...confFile, ...confUri]
  if (file.length === 0) throw new UsageError('say what to read: --conf-file or --conf-uri')
  const user = confUser ?? environment['MILLRACE_CONF_USER']
  const password = confPassword ?? environment['MILLRACE_CONF_PASSWORD'] ?? ''
  return {
    file,
    ...(user === undefined ? {} : { credentials: { user, password } }),
    agent: options.name,
    systemProperties: options.D,
    environment,
    lenient: options.lenient,
    ...(options.conf === undefined ? {} : { confDirectory: options.conf }),
  }
}

/** @throws UsageError when the file cannot be read or has no such agent. */
export async function readConfiguration(
  source: LoadConfigurationOptions,
  load: (source: LoadConfigurationOptions) => Promise<LoadedConfiguration> = loadConfiguration,
): Promise<ReadConfiguration> {
  const { findings, isAgentKnown, configuration, notes } = await readable(load(source))
  const lines = findings.map(formatFinding)
  if (!isAgentKnown)
    throw new UsageError(`${filesOf(source).join(', ')} has no agent named “${source.agent}”`)
  return { configuration, lines, notes }
}

async function readable(loading: Promise<LoadedConfiguration>): Promise<LoadedConfiguration> {
  try {
    return await loading
  } catch (error) {
    if (MillraceError.is(error) && error.code === 'MILLRACE_CONFIG_UNREADABLE')
      throw new UsageError(error.message)
    throw error
  }
}
