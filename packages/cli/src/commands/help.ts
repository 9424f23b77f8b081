import { parseArguments } from '../arguments.js'
import { COMMANDS } from '../commands.js'
import { EXIT_OK, type ExitCode, UsageError } from '../exit-code.js'
import { generalHelp } from '../help-text.js'
import { nearest } from '../nearest.js'
import type { Terminal } from '../terminal.js'

/** `millrace help [TOPIC]`: the commands, the options of one, a kind of component, or one of them. */
export async function run(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const parsed = await parseArguments(args, terminal, (command) =>
    command
      .name('millrace help')
      .description('Explains a command, a kind of component, or one component.')
      .argument('[topic...]', 'for example: agent, sinks, sink file_roll'),
  )
  if ('exit' in parsed) return parsed.exit
  const [topic, name] = parsed.operands
  if (topic === undefined) {
    terminal.stdout.write(generalHelp())
    return EXIT_OK
  }
  const entry = COMMANDS.find((command) => command.name === topic)
  if (entry) return (await entry.load()).run(['--help'], terminal)
  const { componentHelp, kindOf, kindWords } = await import('../components/component-help.js')
  const kind = kindOf(topic)
  if (kind) {
    terminal.stdout.write(await componentHelp(kind, name))
    return EXIT_OK
  }
  const guess = nearest(topic, [...COMMANDS.map((command) => command.name), ...kindWords()])
  throw new UsageError(`there is no topic “${topic}”${guess ? `; did you mean “${guess}”?` : ''}`)
}
