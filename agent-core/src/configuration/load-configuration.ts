/** From a `.properties` file to a checked configuration of one agent. Starts and touches nothing. */
import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { ConfigurationError, messageOf } from '@millrace/runtime'
import { type BuiltinComponent, builtinComponents } from '../registry.js'
import { AgentCheck } from './agent-check.js'
import type { AgentConfiguration } from './agent-configuration.js'
import { readSection } from './agent-section.js'
import { ComponentTypes } from './component-types.js'
import { type Finding, FindingList } from './finding.js'
import { parseProperties } from './properties.js'

export interface LoadConfigurationOptions {
  /** Path of the file; findings name it as given here. */
  readonly file: string
  readonly agent: string
  /** Where modules that a `type` names are looked for, after the file's own folder. */
  readonly confDirectory?: string | undefined
  /** What `${sys:key}` gives, and what options inherit. */
  readonly systemProperties?: Readonly<Record<string, string>>
  /** What `${env:NAME}` gives, and what options inherit. Default: that of the process. */
  readonly environment?: NodeJS.ProcessEnv
  /** Makes unknown keys warnings. */
  readonly lenient?: boolean
  /** What a `type` can name beside modules. Default: everything that comes with the agent. */
  readonly components?: readonly BuiltinComponent[]
}

export interface LoadedConfiguration {
  /** In the order of the file. */
  readonly findings: readonly Finding[]
  /** Whether the file says anything about the agent. */
  readonly isAgentKnown: boolean
  /** Only when the agent is known and no finding is an error. */
  readonly configuration?: AgentConfiguration
}

/**
 * Reads a file and checks one agent's section. Of other code only the definitions of the
 * components that the section names are loaded.
 * @throws ConfigurationError `MILLRACE_CONFIG_UNREADABLE` when the file cannot be read.
 */
export async function loadConfiguration(
  options: LoadConfigurationOptions,
): Promise<LoadedConfiguration> {
  const { file, agent, lenient: isLenient = false } = options
  const bytes = await readConfigurationFile(file)
  const findings = new FindingList(file)
  const sources = {
    environment: options.environment ?? process.env,
    systemProperties: options.systemProperties ?? {},
  }
  const section = readSection(parseProperties(bytes), { agent, isLenient, sources }, findings)
  if (!section.isKnown) return { findings: findings.sorted(), isAgentKnown: false }
  const types = new ComponentTypes({
    builtin: options.components ?? builtinComponents,
    moduleDirectories: [dirname(resolve(file)), options.confDirectory, process.cwd()]
      .filter((each) => each !== undefined)
      .map((each) => resolve(each)),
  })
  const configuration = await new AgentCheck(section, {
    types,
    findings,
    isLenient,
    surroundings: sources,
  }).run()
  return {
    findings: findings.sorted(),
    isAgentKnown: true,
    ...(findings.errorCount === 0 ? { configuration } : {}),
  }
}

async function readConfigurationFile(file: string): Promise<Buffer> {
  try {
    return await readFile(file)
  } catch (error) {
    throw new ConfigurationError(
      'MILLRACE_CONFIG_UNREADABLE',
      `The configuration ${file} cannot be read: ${messageOf(error)}`,
      { cause: error },
    )
  }
}
