import { readFile } from 'node:fs/promises'
import { parseArguments } from '../arguments.js'
import { EXIT_OK, type ExitCode } from '../exit-code.js'
import type { Terminal } from '../terminal.js'

/** `millrace version`: name and version, as the first line of a bug report. */
export async function run(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const parsed = await parseArguments(args, terminal, (command) =>
    command.name('millrace version').description('Prints the version.'),
  )
  if ('exit' in parsed) return parsed.exit
  terminal.stdout.write(`millrace ${await readVersion()} (node ${process.versions.node})\n`)
  return EXIT_OK
}

async function readVersion(): Promise<string> {
  const file = new URL('../../../package.json', import.meta.url)
  const manifest: { version: string } = JSON.parse(await readFile(file, 'utf8'))
  return manifest.version
}
