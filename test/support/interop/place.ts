/** The configuration of an agent that Millrace or Flume can run, and what it stores. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { startMillrace } from '../command.js'
import { freePort } from '../free-port.js'
import { temporaryDirectory } from '../temp-directory.js'
import { until } from '../until.js'
import { FLUME_VERSIONS, flumeClassPath, type FlumeVersion } from './class-path.js'
import { javaPeer } from './java-peer.js'
import { StoredEvents } from './stored-events.js'

/** Who runs an agent. */
export type Runner = 'Millrace' | FlumeVersion

export type Settings = Readonly<Record<string, string>>

export interface PlaceOptions {
  /** Avro sources by their names, each with settings beside its address. Default: one without any. */
  readonly sources?: Readonly<Record<string, Settings>>
  /** Of the memory channel, or of another one with its type. */
  readonly channel?: Settings
  /** Settings of an avro sink, in place of files that are stored. */
  readonly sink?: Settings
  /** Events that its sink stores at once. Default 1000. */
  readonly storeBatch?: number
  /** A file channel, which keeps its events through a crash: each runner has directories of its own. */
  readonly durable?: boolean
  /** The address of its sources. Default 127.0.0.1. */
  readonly host?: string
}

export interface RunningAgent {
  /** Ends it as its service manager would. */
  stop(): Promise<void>
}

/**
 * Flume's sink runner rests up to 5 s after a take that found nothing, and its file sink waits `keep-alive`
 * for each further event of a batch: with these two settings it stores each event when it comes.
 */
export const STORES_AT_ONCE = { storeBatch: 1, channel: { 'keep-alive': '30' } } as const

export class Place {
  readonly directory: string
  readonly #ports: ReadonlyMap<string, number>
  readonly #stored: StoredEvents

  readonly #host: string

  private constructor(directory: string, ports: ReadonlyMap<string, number>, host: string) {
    this.directory = directory
    this.#host = host
    this.#ports = ports
    this.#stored = new StoredEvents(join(directory, 'stored'))
  }

  static async make(options: PlaceOptions = {}): Promise<Place> {
    const { sources = { r1: {} }, host = '127.0.0.1' } = options
    const directory = temporaryDirectory()
    mkdirSync(join(directory, 'stored'))
    const ports = new Map<string, number>()
    for (const name of Object.keys(sources)) ports.set(name, await freePort())
    const place = new Place(directory, ports, host)
    for (const runner of ['Millrace', ...FLUME_VERSIONS] as const)
      writeFileSync(place.#fileOf(runner), place.#configuration(options, runner))
    return place
  }

  #fileOf(runner: Runner): string {
    return join(this.directory, `${runner}.properties`)
  }

  #configuration(options: PlaceOptions, runner: Runner): string {
    const { sources = { r1: {} }, channel = {}, sink, storeBatch = 1_000, durable } = options
    const lines = [
      `sources = ${Object.keys(sources).join(' ')}`,
      'channels = c1',
      'sinks = k1',
      'sinks.k1.channel = c1',
    ]
    const add = (prefix: string, settings: Settings) => {
      for (const [key, value] of Object.entries(settings)) lines.push(`${prefix}.${key} = ${value}`)
    }
    for (const [name, settings] of Object.entries(sources)) {
      const port = String(this.port(name))
      add(`sources.${name}`, { type: 'avro', bind: this.#host, port, channels: 'c1', ...settings })
    }
    const kind = durable ? fileChannel(join(this.directory, runner)) : { type: 'memory' }
    add('channels.c1', { ...kind, capacity: '50000', transactionCapacity: '10000', ...channel })
    add('sinks.k1', sink ? { type: 'avro', ...sink } : fileSink(this.directory, storeBatch))
    return lines.map((line) => `a1.${line}\n`).join('')
  }

  /** Of a source; the only one when it is not named. */
  port(source = [...this.#ports.keys()][0] ?? ''): number {
    const port = this.#ports.get(source)
    assert.ok(port, `a source ${source}`)
    return port
  }

  /** `hosts` of Flume's clients. */
  hosts(source?: string): Settings {
    return { hosts: 'h1', 'hosts.h1': `127.0.0.1:${this.port(source)}` }
  }

  /** What is stored by now. */
  stored = () => this.#stored.read()

  /** Bodies that are stored by now, as text. */
  bodies = (): string[] => this.stored().map(({ body }) => body.toString())

  /** Runs the agent: Flume's in the process of its peer, to which an end is no crash. */
  async run(runner: Runner): Promise<RunningAgent> {
    if (runner === 'Millrace') return this.runProcess(runner)
    const peer = javaPeer(runner)
    const file = this.#fileOf(runner)
    await peer.startAgent(file)
    await this.#listens()
    return { stop: () => peer.stopAgent(file) }
  }

  /** Runs the agent in a process of its own, which can be killed. */
  async runProcess(runner: Runner): Promise<RunningAgent & { kill(): Promise<void> }> {
    const file = this.#fileOf(runner)
    if (runner === 'Millrace') {
      const command = startMillrace(['agent', '-n', 'a1', '-f', file, '--no-reload-conf'])
      await command.shows(/^ready agent=a1/m, 30_000)
      return {
        stop: async () => {
          command.kill('SIGTERM')
          const finished = await command.finished
          assert.equal(finished.code, 0, finished.stderr)
        },
        kill: async () => {
          command.kill('SIGKILL')
          await command.finished
        },
      }
    }
    const flume = spawnFlume(flumeClassPath(runner), file)
    await this.#listens()
    const end = async (signal: 'SIGTERM' | 'SIGKILL') => {
      flume.ref()
      const ended = once(flume, 'exit')
      flume.kill(signal)
      await ended
    }
    return { stop: () => end('SIGTERM'), kill: () => end('SIGKILL') }
  }

  async #listens(): Promise<void> {
    for (const port of this.#ports.values()) {
      await until(() => accepts(port, this.#host), {
        timeoutMs: 30_000,
        what: `a listener on port ${port}`,
      })
    }
  }
}

const fileChannel = (directory: string): Settings => ({
  type: 'file',
  checkpointDir: join(directory, 'checkpoint'),
  dataDirs: join(directory, 'data'),
})

function fileSink(directory: string, batch: number): Settings {
  return {
    type: 'file_roll',
    'sink.directory': join(directory, 'stored'),
    'sink.rollInterval': '0',
    'sink.batchSize': String(batch),
    'sink.serializer': 'avro_event',
  }
}

function spawnFlume(classPath: string, file: string): ChildProcess {
  const options = ['-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1']
  const main = 'org.apache.flume.node.Application'
  const args = [...options, '-cp', classPath, main, '-n', 'a1', '-f', file, '--no-reload-conf']
  const flume = spawn('java', args, { stdio: 'ignore' })
  // A test that fails does not end it: neither the tests nor the machine must keep it.
  flume.unref()
  process.once('exit', () => flume.kill('SIGKILL'))
  return flume
}

function accepts(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ port, host }, () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
