/** An agent whose system calls are written to a file. Needs strace, which is installed when missing. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { AgentProcess } from '../agent-process.js'
import { temporaryDirectory } from '../temp-directory.js'
import { until } from '../until.js'
import { readTrace, type SystemCall, TRACED } from './trace.js'

/** @throws when it is missing and can't be installed. */
export function installStrace(): void {
  try {
    execFileSync('strace', ['-V'], { stdio: 'ignore' })
  } catch {
    const stdio = ['ignore', 'ignore', 'inherit'] as const
    execFileSync('apt-get', ['update', '-qq'], { stdio: [...stdio] })
    execFileSync('apt-get', ['install', '-y', '-qq', 'strace'], { stdio: [...stdio] })
  }
}

export interface TracedAgentOptions {
  readonly settings: Readonly<Record<string, string>>
  /** Bytes of each argument that are kept. */
  readonly keptBytes: number
  readonly directory?: string
}

export class TracedAgent {
  readonly agent: AgentProcess
  readonly #file: string

  private constructor(agent: AgentProcess, file: string) {
    this.agent = agent
    this.#file = file
  }

  static async start(options: TracedAgentOptions): Promise<TracedAgent> {
    const { settings, keptBytes, directory = temporaryDirectory() } = options
    const file = join(directory, 'trace')
    // The agent stays the process that is started and signalled; the tracer is a grandchild.
    const wrapper = ['strace', '-D', '-f', '-ttt', '-yy', '-s', String(keptBytes), '--seccomp-bpf']
    const agent = await AgentProcess.start({
      directory,
      settings,
      args: ['--no-reload-conf'],
      wrapper: [...wrapper, '-e', `trace=${TRACED.join(',')}`, '-o', file],
    })
    return new TracedAgent(agent, file)
  }

  /** Stops the agent, and gives what it did. */
  async stop(): Promise<SystemCall[]> {
    const { pid } = this.agent
    await this.agent.stop()
    const ended = new RegExp(`^${pid} .*\\+\\+\\+ exited with 0 \\+\\+\\+$`, 'm')
    await until(() => ended.test(readFileSync(this.#file, 'latin1')), {
      timeoutMs: 20_000,
      what: 'the end of the trace',
    })
    return readTrace(readFileSync(this.#file, 'latin1'))
  }

  /** Ends what still runs. */
  async end(): Promise<void> {
    await this.agent.kill()
  }
}
