import { declareConfiguration, type ConfigurationOptions } from '../agent/agent-options.js'
import { plainFlumeOptions } from '../agent/refused-options.js'
import { configurationSource, readConfiguration } from '../agent/read-configuration.js'
import { parseArguments } from '../arguments.js'
import { EXIT_FAILURE, EXIT_OK, type ExitCode } from '../exit-code.js'
import { explainText } from '../explain/explain-text.js'
import { printableJson } from '../receive/printable.js'
import type { Terminal } from '../terminal.js'

interface ExplainWords extends ConfigurationOptions {
  readonly all: boolean
  readonly json: boolean
}

/** `millrace explain`: every value that an agent runs with, and where it comes from. Starts nothing. */
export async function run(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const parsed = await parseArguments<ExplainWords>(plainFlumeOptions(args), terminal, (command) =>
    declareConfiguration(
      command
        .name('millrace explain')
        .description('Shows every value of a configuration and where it comes from.'),
    )
      .option('--all', 'keys that nothing sets and that have no default, too', false)
      .option('--json', 'every key, as JSON', false),
  )
  if ('exit' in parsed) return parsed.exit
  const { all, json } = parsed.options
  const { configuration, lines, notes } = await readConfiguration(
    configurationSource(parsed.options, terminal.environment),
  )
  for (const line of lines) terminal.stderr.write(`${line}\n`)
  const text = json
    ? `${printableJson(JSON.stringify(notes, null, 2))}\n`
    : explainText(notes, { withUnset: all })
  await terminal.stdout.writeAll(text, new AbortController().signal)
  return configuration ? EXIT_OK : EXIT_FAILURE
}
