/** The `external` config filter: a program is run with the key and its first line is the value. */
import { execFile } from 'node:child_process'
import { defineConfigFilter, option } from '@millrace/component'
import { ConfigurationError } from '@millrace/runtime'

/** How long the program may take, in milliseconds. */
const TIMEOUT_MS = 30_000
/** Most that it may write, in bytes. */
const MAX_OUTPUT_BYTES = 1024 * 1024

export const externalConfigFilter = defineConfigFilter({
  alias: 'external',
  classNames: ['org.apache.flume.configfilter.ExternalProcessConfigFilter'],
  summary:
    'Runs a program with the key as its last argument; the first line of its output is the value.',
  options: {
    command: option.string('command', {
      description: 'Program and its first arguments, between blanks. No shell reads it.',
      required: true,
    }),
    charset: option.string('charset', {
      description: 'Character set of the output.',
      default: 'UTF-8',
    }),
  },
  check: ({ charset }) => {
    if (isCharset(charset)) return []
    return [{ key: 'charset', message: `"${charset}" is not a character set that is known here` }]
  },
  create: ({ options, environment }) => ({
    async filter(key, signal) {
      const [program = '', ...args] = options.command.trim().split(/\s+/)
      const output = await run(program, [...args, key], { environment, signal })
      const [line = ''] = new TextDecoder(options.charset).decode(output).split(/\r\n|\r|\n/)
      return line === '' ? undefined : line
    },
  }),
})

function isCharset(name: string): boolean {
  try {
    return new TextDecoder(name).encoding !== ''
  } catch {
    return false
  }
}

/** Standard output; a program that fails, or takes too long, throws. What it says elsewhere is not shown: it may be secret. */
function run(
  program: string,
  args: readonly string[],
  { environment, signal }: { environment: NodeJS.ProcessEnv; signal: AbortSignal },
): Promise<Buffer> {
  const options = {
    env: environment,
    signal,
    encoding: 'buffer',
    timeout: TIMEOUT_MS,
    maxBuffer: MAX_OUTPUT_BYTES,
  } as const
  return new Promise((resolve, reject) => {
    execFile(program, args, options, (error, stdout) => {
      if (error === null) resolve(stdout)
      else {
        const why = error.killed ? `took longer than ${TIMEOUT_MS} ms` : `ended with ${error.code}`
        reject(new ConfigurationError('MILLRACE_CONFIG_INVALID', `${program} ${why}`))
      }
    })
  })
}
