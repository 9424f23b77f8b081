import { defineSource, option, type Problem } from '@millrace/component'
import { messageOf } from '@millrace/runtime'
import { ExecSource } from './exec/exec-source.js'
import { lineCharset } from './line-charset.js'

/** Flume's `exec` source: each line that a command writes is an event. */
export const execSource = defineSource({
  alias: 'exec',
  classNames: ['org.apache.flume.source.ExecSource'],
  summary: 'Runs a command; each line of its output is an event.',
  options: {
    command: option.string('command', {
      description: 'The program and its arguments, or with shell a command for the shell.',
      required: true,
    }),
    shell: option.string('shell', {
      description: 'A shell and its arguments, as /bin/sh -c; the command is the last of them.',
    }),
    restartThrottleMs: option.duration('restartThrottle', {
      description: 'Wait before a command that has ended is started again.',
      unit: 'ms',
      default: 10_000,
    }),
    restart: option.bool('restart', {
      description: 'Whether a command that has ended is started again.',
      default: false,
    }),
    logStdErr: option.bool('logStdErr', {
      description: "Whether what the command writes to its error output goes to the agent's log.",
      default: false,
    }),
    batchSize: option.int('batchSize', {
      description: 'Most lines that are put into the channel at once.',
      default: 20,
      min: 1,
    }),
    batchTimeoutMs: option.duration('batchTimeout', {
      description: 'Longest wait of a line for others of its batch.',
      unit: 'ms',
      default: 3_000,
    }),
    charset: option.string('charset', {
      description: 'Character set of the output. Bodies are the bytes that the command wrote.',
      default: 'UTF-8',
    }),
  },
  batchSize: ({ batchSize }) => ({ key: 'batchSize', events: batchSize }),
  check: ({ charset }) => charsetProblems(charset),
  create: ({ options, logger, clock }) => {
    const { command, shell } = options
    const words = (text: string) => text.trim().split(/\s+/)
    const all = shell === undefined ? words(command) : [...words(shell), command]
    return new ExecSource({ ...options, command: all }, { logger, clock })
  },
})

function charsetProblems(charset: string): readonly Problem[] {
  const key = 'charset'
  // A line feed must be the byte that it is in ASCII.
  if (/^utf-?(16|32)/i.test(charset)) return [{ key, message: `${charset} is not supported here` }]
  try {
    lineCharset(charset)
    return []
  } catch (error) {
    return [{ key, message: messageOf(error) }]
  }
}
