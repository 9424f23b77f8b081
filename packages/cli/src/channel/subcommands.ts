/** Commands that consist of several, and how the failures of a log end them. */
import { MillraceError } from '@millrace/runtime'
import { EXIT_FAILURE, EXIT_OK, EXIT_USAGE, type ExitCode, UsageError } from '../exit-code.js'
import { nearest } from '../nearest.js'
import type { Terminal } from '../terminal.js'

export interface Subcommand {
  readonly summary: string
  run(args: readonly string[], terminal: Terminal): Promise<ExitCode>
}

/** Runs the one that the first word names; `--help` lists them. */
export async function runSubcommand(
  command: string,
  subcommands: Readonly<Record<string, Subcommand>>,
  args: readonly string[],
  terminal: Terminal,
): Promise<ExitCode> {
  const [name, ...rest] = args
  const names = Object.keys(subcommands)
  if (name === undefined || name === '--help' || name === '-h') {
    const output = name === undefined ? terminal.stderr : terminal.stdout
    output.write(helpOf(command, subcommands))
    return name === undefined ? EXIT_USAGE : EXIT_OK
  }
  const chosen = names.includes(name) ? subcommands[name] : undefined
  if (!chosen) {
    const guess = nearest(name, names)
    const hint = guess ? `; did you mean “${guess}”?` : `; there are ${names.join(', ')}`
    throw new UsageError(`there is no “${name}”${hint}`)
  }
  try {
    return await chosen.run(rest, terminal)
  } catch (error) {
    if (error instanceof UsageError) throw new UsageError(`${name}: ${error.message}`)
    if (!MillraceError.is(error)) throw error
    terminal.stderr.write(`millrace ${command} ${name}: ${error.message}\n`)
    return exitCodeOf(error)
  }
}

/** What is in use, or is no channel, is a matter of usage; everything else went wrong. */
function exitCodeOf({ code }: MillraceError): ExitCode {
  switch (code) {
    case 'MILLRACE_LOG_IN_USE':
    case 'MILLRACE_LOG_DIRECTORY':
    case 'MILLRACE_LOG_FLUME_DATA':
      return EXIT_USAGE
    default:
      return EXIT_FAILURE
  }
}

function helpOf(command: string, subcommands: Readonly<Record<string, Subcommand>>): string {
  const width = Math.max(...Object.keys(subcommands).map((name) => name.length))
  const lines = Object.entries(subcommands).map(
    ([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`,
  )
  return `Usage: millrace ${command} <what> -n <agent> -f <file> -c <channel> [options]
       millrace ${command} <what> --checkpoint-dir <dir> --data-dirs <dir,…> [options]

${lines.join('\n')}

  millrace ${command} <what> --help   its options

Exit codes: 0 done, 1 damage found or something not done, 2 bad usage or the channel is in use.
`
}
