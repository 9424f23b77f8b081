/** The process behind `millrace`: one command, then its exit code. */
import { runCommandLine } from './command-line.js'
import { EXIT_FAILURE } from './exit-code.js'
import { processTerminal } from './terminal.js'

const terminal = processTerminal()

async function fail(what: string, error: unknown): Promise<never> {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  terminal.stderr.write(`millrace: ${what}: ${text}\n`)
  await terminal.stderr.flush()
  process.exit(EXIT_FAILURE)
}

process.on('uncaughtException', (error) => void fail('uncaught exception', error))
process.on('unhandledRejection', (error) => void fail('unhandled rejection', error))

try {
  const code = await runCommandLine(process.argv.slice(2), terminal)
  await terminal.stdout.flush()
  await terminal.stderr.flush()
  process.exit(code)
} catch (error) {
  await fail('failed', error)
}
