import { declareConfiguration, type ConfigurationOptions } from '../agent/agent-options.js'
import { plainFlumeOptions } from '../agent/refused-options.js'
import { configurationSource, readConfiguration } from '../agent/read-configuration.js'
import { parseArguments } from '../arguments.js'
import { EXIT_FAILURE, EXIT_OK, type ExitCode } from '../exit-code.js'
import type { Terminal } from '../terminal.js'

/** `millrace check`: what is wrong with an agent's configuration, one finding a line. Starts nothing. */
export async function run(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const parsed = await parseArguments<ConfigurationOptions>(
    plainFlumeOptions(args),
    terminal,
    (command) =>
      declareConfiguration(
        command
          .name('millrace check')
          .description('Finds what is wrong with a configuration, and starts nothing.'),
      ),
  )
  if ('exit' in parsed) return parsed.exit
  const { configuration, lines } = await readConfiguration(
    configurationSource(parsed.options, terminal.environment),
  )
  for (const line of lines) terminal.stdout.write(`${line}\n`)
  return configuration ? EXIT_OK : EXIT_FAILURE
}
