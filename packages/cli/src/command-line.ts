/** From the words behind `millrace` to an exit code. */
import { COMMANDS } from './commands.js'
import { EXIT_USAGE, type ExitCode, UsageError } from './exit-code.js'
import { nearest } from './nearest.js'
import type { Terminal } from './terminal.js'

/** Other ways to ask for a command. */
const SYNONYMS: Readonly<Record<string, string>> = {
  '--help': 'help',
  '-h': 'help',
  '--version': 'version',
  '-v': 'version',
  '-V': 'version',
}

/** Runs one command. A {@link UsageError} becomes one line on standard error and exit code 2. */
export async function runCommandLine(
  args: readonly string[],
  terminal: Terminal,
): Promise<ExitCode> {
  const [given, ...rest] = args
  if (given === undefined) {
    const { generalHelp } = await import('./help-text.js')
    terminal.stderr.write(generalHelp())
    return EXIT_USAGE
  }
  const name = SYNONYMS[given] ?? given
  const entry = COMMANDS.find((command) => command.name === name)
  if (!entry) {
    const guess = nearest(
      given,
      COMMANDS.map((command) => command.name),
    )
    const hint = guess ? `; did you mean “${guess}”?` : '; “millrace help” lists the commands'
    terminal.stderr.write(`millrace: there is no command “${given}”${hint}\n`)
    return EXIT_USAGE
  }
  const command = await entry.load()
  try {
    return await command.run(rest, terminal)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    terminal.stderr.write(`millrace ${name}: ${error.message}\n`)
    return EXIT_USAGE
  }
}
