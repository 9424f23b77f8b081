import { COMMANDS } from './commands.js'

/** What `millrace help` says. */
export function generalHelp(): string {
  const width = Math.max(...COMMANDS.map((command) => command.name.length))
  const lines = COMMANDS.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`)
  return `Usage: millrace <command> [options]

${lines.join('\n')}

  millrace <command> --help         the options of a command
  millrace help sources             the sources (channels, sinks, …) of this build
  millrace help sink file_roll      the keys of one component

Exit codes: 0 done, 1 failed, 2 bad usage or bad configuration.
`
}
