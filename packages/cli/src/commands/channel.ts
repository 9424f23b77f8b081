import { runSubcommand, type Subcommand } from '../channel/subcommands.js'
import * as exporting from '../channel/export.js'
import * as ls from '../channel/ls.js'
import * as repair from '../channel/repair.js'
import * as verify from '../channel/verify.js'
import type { ExitCode } from '../exit-code.js'
import type { Terminal } from '../terminal.js'

const SUBCOMMANDS: Readonly<Record<string, Subcommand>> = {
  ls,
  verify,
  repair,
  export: exporting,
}

/** `millrace channel`: what a file channel has on disk. */
export function run(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  return runSubcommand('channel', SUBCOMMANDS, args, terminal)
}
