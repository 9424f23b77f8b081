/** A real `millrace agent` that stores what it gets, and what can be seen of it from outside. */
import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Command, type Finished, startMillrace } from './command.js'
import { freePort } from './free-port.js'
import { temporaryDirectory } from './temp-directory.js'

export interface AgentProcessOptions {
  /** Over those of avro → memory → file_roll; keys without the agent's name. An empty value takes a key out. */
  readonly settings?: Readonly<Record<string, string>>
  /** Further words of the command line. */
  readonly args?: readonly string[]
  /** As in `CommandOptions`. */
  readonly wrapper?: readonly string[]
  /** Of the avro source; default a free one. */
  readonly port?: number
  /** Where its files are; default a new directory. */
  readonly directory?: string
}

export type Metrics = Record<string, Record<string, string>>

const MONITORING = ['-Dflume.monitoring.type=http', '-Dflume.monitoring.host=127.0.0.1']

export class AgentProcess {
  /** Of the avro source. */
  readonly port: number
  readonly file: string
  readonly directory: string
  readonly command: Command
  readonly #metricsPort: number

  private constructor(options: {
    port: number
    metricsPort: number
    directory: string
    settings: Readonly<Record<string, string>>
    args: readonly string[]
    wrapper: readonly string[]
  }) {
    this.port = options.port
    this.#metricsPort = options.metricsPort
    this.directory = options.directory
    this.file = join(options.directory, 'agent.properties')
    this.write(options.settings)
    this.command = startMillrace(
      ['agent', '-n', 'a1', '-f', this.file, ...MONITORING, ...options.args],
      { wrapper: options.wrapper },
    )
  }

  /** Starts the process, which need not become ready. */
  static async launch(options: AgentProcessOptions = {}): Promise<AgentProcess> {
    const { settings = {}, args = [], wrapper = [], directory = temporaryDirectory() } = options
    const metricsPort = await freePort()
    mkdirSync(join(directory, 'stored'), { recursive: true })
    return new AgentProcess({
      port: options.port ?? (await freePort()),
      metricsPort,
      directory,
      settings,
      args: [`-Dflume.monitoring.port=${metricsPort}`, ...args],
      wrapper,
    })
  }

  static async start(options: AgentProcessOptions = {}): Promise<AgentProcess> {
    const agent = await AgentProcess.launch(options)
    await agent.command.shows(/^ready agent=a1\b/m)
    return agent
  }

  get pid(): number {
    return this.command.child.pid ?? 0
  }

  get log(): string {
    return this.command.stderr
  }

  get isRunning(): boolean {
    return this.command.child.exitCode === null && this.command.child.signalCode === null
  }

  /** Writes its configuration. */
  write(settings: Readonly<Record<string, string>>): void {
    const all = { ...this.#defaults(), ...settings }
    const set = Object.entries(all).filter(([, value]) => value !== '')
    const lines = set.map(([key, value]) => `a1.${key} = ${value}\n`)
    // In one step: an agent that looks at its file every 50 ms would find it half written.
    writeFileSync(`${this.file}.new`, lines.join(''))
    renameSync(`${this.file}.new`, this.file)
  }

  #defaults(): Record<string, string> {
    return {
      sources: 'r1',
      channels: 'c1',
      sinks: 'k1',
      'sources.r1.type': 'avro',
      'sources.r1.bind': '127.0.0.1',
      'sources.r1.port': String(this.port),
      'sources.r1.channels': 'c1',
      'channels.c1.type': 'memory',
      'channels.c1.capacity': '10000',
      'channels.c1.transactionCapacity': '1000',
      'channels.c1.keep-alive': '1',
      'sinks.k1.type': 'file_roll',
      'sinks.k1.channel': 'c1',
      'sinks.k1.sink.directory': this.storedDirectory,
      'sinks.k1.sink.rollInterval': '0',
      'sinks.k1.sink.batchSize': '100',
    }
  }

  get storedDirectory(): string {
    return join(this.directory, 'stored')
  }

  /** How often each body is in the stored files. */
  stored(): Map<string, number> {
    return countLines(this.storedDirectory)
  }

  storedFiles(): string[] {
    return readdirSync(this.storedDirectory)
  }

  async metrics(): Promise<Metrics> {
    const response = await fetch(`http://127.0.0.1:${this.#metricsPort}/metrics`)
    return (await response.json()) as Metrics
  }

  /** Most memory that the process ever had, in bytes. */
  peakBytes(): number {
    return memoryBytes(this.pid, 'VmHWM')
  }

  residentBytes(): number {
    return memoryBytes(this.pid, 'VmRSS')
  }

  /** Files and sockets that the process has open. */
  handleCount(): number {
    return readdirSync(`/proc/${this.pid}/fd`).length
  }

  /** SIGTERM; fails when the agent does not end with 0. */
  async stop(): Promise<Finished> {
    this.command.kill('SIGTERM')
    const finished = await this.command.finished
    assert.equal(finished.code, 0, finished.stderr)
    return finished
  }

  /** SIGKILL, if it still runs. */
  async kill(): Promise<void> {
    this.command.kill('SIGKILL')
    await this.command.finished
  }
}

/** Settings of an agent whose sink hands on to the avro source of another one. */
export const toAvroSink = (port: number): Record<string, string> => ({
  'sinks.k1.type': 'avro',
  'sinks.k1.hostname': '127.0.0.1',
  'sinks.k1.port': String(port),
  'sinks.k1.batch-size': '100',
  'sinks.k1.sink.directory': '',
  'sinks.k1.sink.rollInterval': '',
  'sinks.k1.sink.batchSize': '',
})

/** How often each line is in the files of a directory. */
export function countLines(directory: string): Map<string, number> {
  const counts = new Map<string, number>()
  for (const name of readdirSync(directory)) {
    for (const line of readFileSync(join(directory, name), 'utf8').split('\n')) {
      if (line !== '') counts.set(line, (counts.get(line) ?? 0) + 1)
    }
  }
  return counts
}

function memoryBytes(pid: number, field: 'VmHWM' | 'VmRSS'): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const kibibytes = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]
  assert.ok(kibibytes, `${field} of process ${pid}`)
  return Number(kibibytes) * 1_024
}
