/** Which channel a command is about: one of an agent's file, or one whose directories are named. */
import { resolve } from 'node:path'
import type { AgentConfiguration, ChannelConfiguration } from '@millrace/agent-core'
import type { LogPlace } from '@millrace/wal'
import { configurationSource, readConfiguration } from '../agent/read-configuration.js'
import { collectProperty, type parseArguments } from '../arguments.js'
import { UsageError } from '../exit-code.js'
import { nearest } from '../nearest.js'
import type { Terminal } from '../terminal.js'

type Command = Parameters<Parameters<typeof parseArguments>[2]>[0]

export interface LocationOptions {
  readonly name?: string
  readonly confFile?: string
  readonly channel?: string
  readonly checkpointDir?: string
  readonly dataDirs?: string
  readonly conf?: string
  readonly D: Readonly<Record<string, string>>
  readonly lenient: boolean
  readonly json: boolean
}

/** A channel on disk. */
export interface Location {
  readonly place: LogPlace
  /** For a person: `channel c1 of agent a1`, or the directory. */
  readonly title: string
  /** Undefined when the directories were named. */
  readonly agent: AgentConfiguration | undefined
  readonly channel: string | undefined
}

/** The options that say where the channel is, which all these commands have. */
export function declareLocation(command: Command): Command {
  return command
    .option('-n, --name <agent>', 'name of the agent in the file')
    .option('-f, --conf-file <file>', 'the .properties file of the agent')
    .option('-c, --channel <channel>', 'the channel')
    .option('--checkpoint-dir <dir>', 'the channel’s checkpointDir, instead of -n, -f and -c')
    .option('--data-dirs <dir,…>', 'its dataDirs, between commas')
    .option('--conf <dir>', 'directory where modules named by a type are looked for too')
    .addOption(
      command
        .createOption('-D <key=value>', 'a property for ${sys:key}; may be repeated')
        .argParser(collectProperty)
        .default({}, 'none'),
    )
    .option('--lenient', 'unknown keys of the file are warnings instead of errors', false)
    .option('--json', 'the answer as JSON', false)
}

/**
 * Finds the channel. `assume` names one when the words do not.
 * @throws UsageError when it is not said which, or there is none.
 */
export async function locate(
  options: LocationOptions,
  terminal: Terminal,
  assume: (agent: AgentConfiguration) => string | undefined = () => undefined,
): Promise<Location> {
  const { checkpointDir, dataDirs } = options
  if (checkpointDir !== undefined || dataDirs !== undefined) {
    return byDirectories(options, checkpointDir, dataDirs)
  }
  const { confFile, name } = options
  if (name === undefined || confFile === undefined) {
    throw new UsageError('say which channel: -n, -f and -c, or --checkpoint-dir and --data-dirs')
  }
  const { configuration, lines } = await readConfiguration(
    configurationSource(
      {
        name,
        confFile: [confFile],
        D: options.D,
        lenient: options.lenient,
        ...(options.conf === undefined ? {} : { conf: options.conf }),
      },
      terminal.environment,
    ),
  )
  if (!configuration) {
    for (const line of lines) terminal.stderr.write(`${line}\n`)
    throw new UsageError(`${confFile} has errors`)
  }
  const channel = options.channel ?? assume(configuration)
  if (channel === undefined) throw new UsageError('-c, --channel is missing')
  return {
    place: placeOf(channelIn(configuration, channel)),
    title: `channel ${channel} of agent ${name}`,
    agent: configuration,
    channel,
  }
}

function byDirectories(
  options: LocationOptions,
  checkpointDir: string | undefined,
  dataDirs: string | undefined,
): Location {
  const directories = (dataDirs ?? '')
    .split(',')
    .map((each) => each.trim())
    .filter(Boolean)
  if (checkpointDir === undefined || checkpointDir === '' || directories.length === 0) {
    throw new UsageError('--checkpoint-dir and --data-dirs are needed together')
  }
  if (options.name ?? options.confFile ?? options.channel) {
    throw new UsageError('--checkpoint-dir and --data-dirs exclude -n, -f and -c')
  }
  const place = {
    checkpointDirectory: resolve(checkpointDir),
    dataDirectories: [...new Set(directories.map((each) => resolve(each)))],
  }
  const title = `channel in ${place.checkpointDirectory}`
  return { place, title, agent: undefined, channel: undefined }
}

export function channelIn(agent: AgentConfiguration, name: string): ChannelConfiguration {
  const found = agent.channels.find((each) => each.name === name)
  if (found) return found
  const names = agent.channels.map((each) => each.name)
  const guess = nearest(name, names)
  const hint = guess ? `; did you mean “${guess}”?` : `; it has ${names.join(', ')}`
  throw new UsageError(`agent ${agent.agent} has no channel “${name}”${hint}`)
}

function placeOf({ definition, name, options, type }: ChannelConfiguration): LogPlace {
  const directories = definition.directories?.(options) ?? []
  const checkpoint = directories.find(({ key }) => key === 'checkpointDir')
  if (!checkpoint) {
    throw new UsageError(`channel ${name} is of type ${type}: it has no files to look at`)
  }
  return {
    checkpointDirectory: checkpoint.path,
    dataDirectories: directories.filter(({ key }) => key === 'dataDirs').map(({ path }) => path),
  }
}
