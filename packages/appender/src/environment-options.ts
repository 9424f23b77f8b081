import { OptionError } from '@millrace/runtime'

const PREFIX = 'MILLRACE_'
/** Options whose value is an object: their names are the first word of a variable that means one in it. */
const GROUPS = ['queue', 'batch', 'backoff', 'tls', 'headerCaps', 'context', 'deadLetter'] as const
/** Options that stay text, whatever they look like. */
const TEXTS: ReadonlySet<string> = new Set(['hosts', 'host', 'address', 'loggerName', 'idHeader'])

/**
 * Options from environment variables: `MILLRACE_HOSTS`, `MILLRACE_MAX_EVENT_BYTES` (`maxEventBytes`),
 * `MILLRACE_QUEUE_MAX_EVENTS` (`queue.maxEvents`). Numbers, `true`, `false` and JSON are read as such, anything
 * else is text. To be spread into the options: `{ ...defaults, ...optionsFromEnvironment() }`. What is wrong with them
 * the appender says, by the option's name.
 * @param prefix of the variables. Default `MILLRACE_`.
 * @throws OptionError that names the variable, when JSON is broken.
 */
export function optionsFromEnvironment(
  environment: NodeJS.ProcessEnv = process.env,
  prefix: string = PREFIX,
): { hosts: string } & Record<string, unknown> {
  const options: Record<string, unknown> = {}
  for (const [variable, text] of Object.entries(environment)) {
    if (!variable.startsWith(prefix) || text === undefined || text === '') continue
    const words = variable.slice(prefix.length).toLowerCase().split('_')
    const group = GROUPS.find((name) => startsWith(words, name))
    const target = group === undefined ? options : groupOf(options, group)
    const name = camelCase(group === undefined ? words : words.slice(wordsOf(group).length))
    target[name] = valueOf(variable, name, text)
  }
  return options as { hosts: string } & Record<string, unknown>
}

function groupOf(options: Record<string, unknown>, name: string): Record<string, unknown> {
  const known = options[name] as Record<string, unknown> | undefined
  const group = known ?? {}
  options[name] = group
  return group
}

function wordsOf(name: string): string[] {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`).split('_')
}

/** Whether the words mean something in this group, and not the group itself. */
function startsWith(words: readonly string[], group: string): boolean {
  const first = wordsOf(group)
  return words.length > first.length && first.every((word, i) => words[i] === word)
}

function camelCase(words: readonly string[]): string {
  return words.map((word, i) => (i === 0 ? word : word[0]?.toUpperCase() + word.slice(1))).join('')
}

function valueOf(variable: string, name: string, text: string): unknown {
  if (TEXTS.has(name) && !/^[[{]/.test(text)) return text
  if (/^-?\d+$/.test(text)) return Number(text)
  if (text === 'true' || text === 'false') return text === 'true'
  if (!/^[[{]/.test(text)) return text
  try {
    return JSON.parse(text)
  } catch {
    throw new OptionError(`${variable} looks like JSON and is none`)
  }
}
