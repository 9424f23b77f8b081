import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { LineOutput, runCommandLine } from 'millrace'
import { repository } from './repository.js'
import { until } from './until.js'

export const millraceFile = join(repository, 'packages', 'cli', 'bin', 'millrace.js')

export interface CommandOptions {
  readonly cwd?: string
  readonly environment?: NodeJS.ProcessEnv
  readonly stdin?: string | Buffer
  /** Words in front of the program: what starts it with `"$@"` or as its last words, by exec. */
  readonly wrapper?: readonly string[]
  /** Milliseconds until a run fails. Default 15,000. */
  readonly timeoutMs?: number
}

export interface Finished {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** A `millrace` process, or another program of Node, with what it has written so far. */
export class Command {
  readonly child: ChildProcess
  readonly finished: Promise<Finished>
  stdout = ''
  stderr = ''

  constructor(args: readonly string[], options: CommandOptions = {}) {
    const { npm_lifecycle_event: _npm, NO_COLOR: _no, FORCE_COLOR: _force, ...clean } = process.env
    const [program = '', ...words] = [...(options.wrapper ?? []), process.execPath, ...args]
    this.child = spawn(program, words, {
      cwd: options.cwd ?? repository,
      env: { ...clean, ...options.environment },
      stdio: 'pipe',
    })
    running.add(this.child)
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.stdout += text))
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.stderr += text))
    this.child.stdin?.on('error', () => undefined) // a program may end before it has read everything
    if (options.stdin !== undefined) this.child.stdin?.end(options.stdin)
    this.finished = new Promise((resolve, reject) => {
      this.child.once('error', reject)
      this.child.once('close', (code, signal) => {
        running.delete(this.child)
        resolve({ code, signal, stdout: this.stdout, stderr: this.stderr })
      })
    })
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal)
  }

  /** Waits until standard output or error matches. */
  async shows(pattern: RegExp, timeoutMs = 10_000): Promise<RegExpExecArray> {
    return until(
      () => {
        if (this.child.exitCode !== null && !pattern.test(this.stdout + this.stderr))
          throw new Error(
            `It ended with code ${this.child.exitCode}:\n${this.stdout}${this.stderr}`,
          )
        return pattern.exec(this.stdout) ?? pattern.exec(this.stderr)
      },
      { timeoutMs, what: () => `output ${pattern}:\n${this.stdout}${this.stderr}` },
    )
  }
}

const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** Starts `millrace` with the given words. */
export function startMillrace(args: readonly string[], options: CommandOptions = {}): Command {
  return new Command([millraceFile, ...args], options)
}

/** Runs `millrace` to its end. */
export async function runMillrace(
  args: readonly string[],
  options: CommandOptions = {},
): Promise<Finished> {
  const command = startMillrace(args, { stdin: '', ...options })
  const timer = setTimeout(() => command.kill('SIGKILL'), options.timeoutMs ?? 15_000)
  return command.finished.finally(() => clearTimeout(timer))
}

/** Runs a command within this process: for the many that are refused before they do anything. */
export async function runHere(
  args: readonly string[],
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  const text = { stdout: '', stderr: '' }
  const output = (name: keyof typeof text) => {
    const stream = new PassThrough()
    stream.setEncoding('utf8').on('data', (chunk: string) => (text[name] += chunk))
    return new LineOutput(stream)
  }
  const stdout = output('stdout')
  const stderr = output('stderr')
  const code = await runCommandLine(args, { stdout, stderr, environment: {} })
  await Promise.all([stdout.flush(), stderr.flush()])
  return { code, ...text }
}

/** Runs a check for each case, two at a time: a process's start keeps one core busy. */
export async function inTwos<T>(
  cases: readonly T[],
  check: (each: T) => Promise<void>,
): Promise<void> {
  for (let at = 0; at < cases.length; at += 2)
    await Promise.all(cases.slice(at, at + 2).map((each) => check(each)))
}
