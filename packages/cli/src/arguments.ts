/** Reading a command's options with commander, which is loaded when it is needed. */
import type { Command } from 'commander'
import { EXIT_OK, UsageError } from './exit-code.js'
import type { Terminal } from './terminal.js'

/** What came of the words: the options, or the exit code of a help text already shown. */
export type Parsed<T> =
  | { readonly options: T; readonly operands: readonly string[] }
  | { readonly exit: 0 }

/**
 * Declares and reads the options of one command. A command stands for itself: `--help` shows its
 * options and everything wrong with the words is a {@link UsageError}.
 */
export async function parseArguments<T extends object>(
  args: readonly string[],
  terminal: Terminal,
  declare: (command: Command) => Command,
): Promise<Parsed<T>> {
  const { Command, CommanderError } = await import('commander')
  const command = declare(new Command())
    .exitOverride()
    .allowExcessArguments(false)
    .configureOutput({
      writeOut: (text) => terminal.stdout.write(text),
      writeErr: () => undefined,
    })
  try {
    command.parse(args, { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0) return { exit: EXIT_OK }
    throw new UsageError(error.message.replace(/^error: /, '').replaceAll(/\s*\n\s*/g, ' '))
  }
  return { options: command.opts<T>(), operands: command.args }
}

/** A whole number in a range, for an option. */
export function wholeNumber(what: string, min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (!/^\d+$/.test(text) || value < min || value > max)
      throw new UsageError(`${what} is not a whole number from ${min} to ${max}: “${text}”`)
    return value
  }
}

/** Seconds, fractions allowed, as milliseconds. */
export function seconds(what: string): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (!/^\d+(\.\d+)?$/.test(text) || value > MAX_SECONDS)
      throw new UsageError(`${what} is not a number of seconds up to ${MAX_SECONDS}: “${text}”`)
    return Math.round(value * 1_000)
  }
}

/** The longest wait that an option takes: what a timer of Node can count. */
const MAX_SECONDS = 2_147_483

/** Collects `-Dkey=value`; a key without a value is empty, as for Java. */
export function collectProperty(
  text: string,
  previous: Readonly<Record<string, string>>,
): Record<string, string> {
  const at = text.indexOf('=')
  const key = at === -1 ? text : text.slice(0, at)
  if (key === '') throw new UsageError(`-D needs key=value: “${text}”`)
  return { ...previous, [key]: at === -1 ? '' : text.slice(at + 1) }
}
