/** Every subcommand and the file that holds it. A file is loaded when its command is called. */
import type { Terminal } from './terminal.js'
import type { ExitCode } from './exit-code.js'

/** What each file of `commands/` exports. */
export interface CommandModule {
  /** Runs the command with the arguments behind its name; resolves with the exit code. */
  run(args: readonly string[], terminal: Terminal): Promise<ExitCode>
}

export interface CommandEntry {
  readonly name: string
  readonly summary: string
  readonly load: () => Promise<CommandModule>
}

export const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'agent',
    summary: 'run an agent from a Flume .properties file',
    load: () => import('./commands/agent.js'),
  },
  {
    name: 'receive',
    summary: 'receive events here, show and keep them',
    load: () => import('./commands/receive.js'),
  },
  {
    name: 'check',
    summary: 'find what is wrong with a configuration file',
    load: () => import('./commands/check.js'),
  },
  {
    name: 'explain',
    summary: 'show every value of a configuration and where it comes from',
    load: () => import('./commands/explain.js'),
  },
  {
    name: 'components',
    summary: 'list every source, channel, sink and so on that this build knows',
    load: () => import('./commands/components.js'),
  },
  {
    name: 'avro-client',
    summary: 'send lines as events to an avro source',
    load: () => import('./commands/avro-client.js'),
  },
  {
    name: 'channel',
    summary: 'look into a file channel on disk: ls, verify, repair, export',
    load: () => import('./commands/channel.js'),
  },
  {
    name: 'dlq',
    summary: 'dead letters in a file channel: list, show, retry, purge',
    load: () => import('./commands/dlq.js'),
  },
  {
    name: 'version',
    summary: 'print the version',
    load: () => import('./commands/version.js'),
  },
  {
    name: 'help',
    summary: 'explain a command, or a component: help sink file_roll',
    load: () => import('./commands/help.js'),
  },
]
