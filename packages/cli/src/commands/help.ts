import { parseArguments } from '../arguments.js'
import { COMMANDS } from '../commands.js'
import { EXIT_OK, type ExitCode, UsageError } from '../exit-code.js'
import { generalHelp } from '../help-text.js'
import type { Terminal } from '../terminal.js'

/** `millrace help [TOPIC]`: the commands, the options of one, or the keys of a component. */
export async function run(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const parsed = await parseArguments(args, terminal, (command) =>
    command
      .name('millrace help')
      .description('Explains a command, a kind of component, or one component.')
      .argument('[topic...]', 'for example: agent, sinks, sink file_roll'),
  )
  if ('exit' in parsed) return parsed.exit
  const [topic] = parsed.operands
  if (topic === undefined) {
    terminal.stdout.write(generalHelp())
    return EXIT_OK
  }
  const entry = COMMANDS.find((command) => command.name === topic)
  if (!entry) throw new UsageError(`there is no topic “${topic}”`)
  return (await entry.load()).run(['--help'], terminal)
}
