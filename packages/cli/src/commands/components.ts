import { parseArguments } from '../arguments.js'
import { describeBuiltins } from '../components/describe-builtins.js'
import { EXIT_OK, type ExitCode } from '../exit-code.js'
import type { Terminal } from '../terminal.js'

/** `millrace components`: every component that this build knows. */
export async function run(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const parsed = await parseArguments<{ json: boolean }>(args, terminal, (command) =>
    command
      .name('millrace components')
      .description('Lists every component that this build knows.')
      .option('--json', 'with all keys, as JSON', false),
  )
  if ('exit' in parsed) return parsed.exit
  const components = await describeBuiltins()
  if (parsed.options.json) {
    const list = components.map(({ kind, alias, classNames, properties }) => ({
      kind,
      alias,
      classNames,
      properties: properties.map(({ name, required, default: value, type }) => ({
        name,
        required,
        default: value,
        type,
      })),
    }))
    terminal.stdout.write(`${JSON.stringify(list, null, 2)}\n`)
    return EXIT_OK
  }
  for (const { kind, alias, classNames, summary } of components)
    terminal.stdout.write(
      `${kind.padEnd(14)}${(alias ?? classNames[0] ?? '').padEnd(18)}${summary}\n`,
    )
  return EXIT_OK
}
