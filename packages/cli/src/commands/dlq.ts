import { runSubcommand, type Subcommand } from '../channel/subcommands.js'
import * as list from '../dead-letters/list.js'
import * as purge from '../dead-letters/purge.js'
import * as retry from '../dead-letters/retry.js'
import * as show from '../dead-letters/show.js'
import type { ExitCode } from '../exit-code.js'
import type { Terminal } from '../terminal.js'

const SUBCOMMANDS: Readonly<Record<string, Subcommand>> = { list, show, retry, purge }

/** `millrace dlq`: events that a sink refused for good. */
export function run(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  return runSubcommand('dlq', SUBCOMMANDS, args, terminal)
}
