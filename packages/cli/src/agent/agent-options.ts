/** The words behind `millrace agent`. */
import { LOG_LEVELS, type LogLevel } from '@millrace/runtime'
import { collectProperty, type Parsed, parseArguments, seconds } from '../arguments.js'
import { UsageError } from '../exit-code.js'
import type { Terminal } from '../terminal.js'
import { plainFlumeOptions, refuseFlumeOptions } from './refused-options.js'

/** Which agent of which file, and what stands in for Java's system properties. */
export interface ConfigurationOptions {
  readonly name: string
  readonly confFile?: readonly string[]
  readonly confUri?: readonly string[]
  readonly confUser?: string
  readonly confPassword?: string
  readonly conf?: string
  readonly D: Readonly<Record<string, string>>
  readonly lenient: boolean
}

export interface AgentOptions extends ConfigurationOptions {
  readonly reloadConf: boolean
  readonly backupDirectory?: string
  /** In milliseconds, as the two below. Undefined: by where the configuration stands. */
  readonly pollInterval?: number
  readonly startTimeout: number
  readonly stopTimeout: number
  readonly logLevel: LogLevel
}

type Command = Parameters<Parameters<typeof parseArguments>[2]>[0]

/** The options that `agent` and `check` share. */
export function declareConfiguration(command: Command): Command {
  return command
    .requiredOption('-n, --name <name>', 'name of the agent in the file', once('--name'))
    .addOption(
      command
        .createOption('-f, --conf-file <file>', 'a file of the configuration; may be repeated')
        .argParser(several('--conf-file')),
    )
    .addOption(
      command
        .createOption('-u, --conf-uri <uri>', 'an http, https or file address; may be repeated')
        .argParser(several('--conf-uri')),
    )
    .option('--conf-user <user>', 'user for http addresses, also -user')
    .option('--conf-password <password>', 'their password, also -pwd')
    .option('-c, --conf <dir>', 'directory where modules named by a type are looked for too')
    .addOption(
      command
        .createOption('-D <key=value>', 'a property for ${sys:key}; may be repeated')
        .argParser(collectProperty)
        .default({}, 'none'),
    )
    .option('--lenient', 'unknown keys are warnings instead of errors', false)
}

export async function parseAgentOptions(
  args: readonly string[],
  terminal: Terminal,
): Promise<Parsed<AgentOptions>> {
  refuseFlumeOptions(args)
  return parseArguments<AgentOptions>(plainFlumeOptions(args), terminal, (command) =>
    declareConfiguration(command.name('millrace agent').description('Runs an agent.'))
      .option('--no-reload-conf', 'read the configuration once only')
      .option('-b, --backup-directory <dir>', 'keep a copy there, for when nothing can be read')
      .addOption(timeOption(command, '-i, --poll-interval <s>', { parse: positive }))
      .addOption(
        timeOption(command, '--start-timeout <s>', {
          default: 30,
          parse: seconds('--start-timeout'),
        }),
      )
      .addOption(
        timeOption(command, '--stop-timeout <s>', {
          default: 10,
          parse: seconds('--stop-timeout'),
        }),
      )
      .option('--log-level <level>', LOG_LEVELS.join(', '), logLevel, 'info'),
  )
}

function positive(text: string): number {
  const value = seconds('--poll-interval')(text)
  if (value === 0) throw new UsageError('--poll-interval must be more than 0 seconds')
  return value
}

function logLevel(text: string): LogLevel {
  const level = LOG_LEVELS.find((each) => each === text.toLowerCase())
  if (!level) throw new UsageError(`--log-level is none of ${LOG_LEVELS.join(', ')}: “${text}”`)
  return level
}

/** Gathers what may be repeated. */
function several(name: string) {
  return (text: string, previous: readonly string[] = []): readonly string[] => {
    if (text === '') throw new UsageError(`${name} is empty`)
    return [...previous, text]
  }
}

/** An option that must not stand twice. */
function once(name: string) {
  return (text: string, previous: string | undefined): string => {
    if (previous !== undefined) throw new UsageError(`${name} stands twice; it takes one value`)
    if (text === '') throw new UsageError(`${name} is empty`)
    return text
  }
}

const TIME_OPTIONS = {
  '-i, --poll-interval <s>':
    'seconds between two looks at the configuration (default: 30; 300 with an http address)',
  '--start-timeout <s>': 'seconds in which every component must have started',
  '--stop-timeout <s>': 'seconds in which a stop drains memory channels',
} as const

/** Seconds on the command line and in the help, milliseconds in code. */
function timeOption(
  command: Command,
  flags: keyof typeof TIME_OPTIONS,
  how: { readonly default?: number; readonly parse: (text: string) => number },
) {
  const option = command.createOption(flags, TIME_OPTIONS[flags]).argParser(how.parse)
  return how.default === undefined
    ? option
    : option.default(how.default * 1_000, String(how.default))
}
