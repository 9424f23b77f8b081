/** An agent under load whose configuration is edited again and again, and an audit of what it stored. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Agent, loadConfiguration, type ReloadReport } from '@millrace/agent-core'
import { MillraceError, seededRandom, silentLogger } from '@millrace/runtime'
import { countLines } from '../agent-process.js'
import { freePort } from '../free-port.js'
import { NumberedClient } from '../numbered-client.js'
import { temporaryDirectory } from '../temp-directory.js'

export interface StormOptions {
  readonly edits: number
  readonly seed: number
}

export interface StormResult {
  /** Reloads that took place, edits with an error left out. */
  readonly reloads: number
  /** Edits that the check refused. */
  readonly refused: number
  readonly acknowledged: number
  /** What clients of the unchanged source saw fail: each means a lost connection or a refused batch. */
  readonly failuresOfUnchanged: readonly string[]
  readonly restartsOfUnchanged: number
  /** Reloads in which the unchanged source's events took another way. */
  readonly reroutes: number
  /** Throws when an acknowledged event is lost, or one is doubled that was sent once. */
  readonly audit: () => void
}

type Settings = Map<string, string>
type Edit = (settings: Settings, random: () => number) => void

const toggle = (settings: Settings, key: string, value: string): void => {
  if (!settings.delete(key)) settings.set(key, value)
}
const word = (settings: Settings, key: string, name: string, isThere: boolean): void => {
  const others = (settings.get(key) ?? '').split(' ').filter((each) => each && each !== name)
  settings.set(key, (isThere ? [...others, name] : others).join(' '))
}
const has = (settings: Settings, key: string, name: string): boolean =>
  (settings.get(key) ?? '').split(' ').includes(name)
const removeAll = (settings: Settings, prefix: string): void => {
  for (const key of settings.keys()) if (key.startsWith(prefix)) settings.delete(key)
}

/** Everything but the source r1 itself may change; r2 may go and come back on its port. */
function editsOf(directory: string, port: number): Readonly<Record<string, Edit>> {
  const rollSink = (settings: Settings, name: string, channel: string) => {
    const stored = join(directory, name)
    mkdirSync(stored, { recursive: true })
    settings.set(`sinks.${name}.type`, 'file_roll')
    settings.set(`sinks.${name}.channel`, channel)
    settings.set(`sinks.${name}.sink.directory`, stored)
    settings.set(`sinks.${name}.sink.rollInterval`, '0')
  }
  return {
    capacity: (settings, random) => {
      settings.set('channels.c1.capacity', String(20_000 + Math.floor(random() * 1_000)))
    },
    interceptors: (settings) => {
      toggle(settings, 'sources.r1.interceptors', 'i1')
      if (settings.has('sources.r1.interceptors')) {
        settings.set('sources.r1.interceptors.i1.type', 'static')
        settings.set('sources.r1.interceptors.i1.key', 'place')
      } else removeAll(settings, 'sources.r1.interceptors.')
    },
    static: (settings, random) => {
      if (!settings.has('sources.r1.interceptors')) return
      settings.set('sources.r1.interceptors.i1.value', `hall-${Math.floor(random() * 9)}`)
    },
    channel: (settings) => {
      const isThere = !has(settings, 'channels', 'c2')
      word(settings, 'channels', 'c2', isThere)
      word(settings, 'sources.r1.channels', 'c2', isThere)
      word(settings, 'sinks', 'k3', isThere)
      removeAll(settings, 'channels.c2.')
      removeAll(settings, 'sinks.k3.')
      removeAll(settings, 'sources.r1.selector.')
      if (!isThere) return
      settings.set('channels.c2.type', 'memory')
      settings.set('channels.c2.transactionCapacity', '1000')
      settings.set('channels.c2.capacity', '20000')
      rollSink(settings, 'k3', 'c2')
      settings.set('sources.r1.selector.type', 'multiplexing')
      settings.set('sources.r1.selector.header', 'client')
      settings.set('sources.r1.selector.mapping.kept-1', 'c2')
      settings.set('sources.r1.selector.default', 'c1')
    },
    sink: (settings) => {
      const isThere = !has(settings, 'sinks', 'k2')
      word(settings, 'sinks', 'k2', isThere)
      removeAll(settings, 'sinks.k2.')
      removeAll(settings, 'sinkgroups')
      if (isThere) rollSink(settings, 'k2', 'c1')
    },
    batch: (settings, random) => {
      settings.set('sinks.k1.sink.batchSize', String(50 + Math.floor(random() * 100)))
    },
    group: (settings, random) => {
      if (!has(settings, 'sinks', 'k2')) return
      toggle(settings, 'sinkgroups', 'g1')
      removeAll(settings, 'sinkgroups.')
      if (!settings.has('sinkgroups')) return
      settings.set('sinkgroups.g1.sinks', 'k1 k2')
      settings.set('sinkgroups.g1.processor.type', random() < 0.5 ? 'failover' : 'load_balance')
    },
    source: (settings) => {
      const isThere = !has(settings, 'sources', 'r2')
      word(settings, 'sources', 'r2', isThere)
      removeAll(settings, 'sources.r2.')
      if (!isThere) return
      settings.set('sources.r2.type', 'avro')
      settings.set('sources.r2.bind', '127.0.0.1')
      settings.set('sources.r2.port', String(port))
      settings.set('sources.r2.channels', 'c1')
    },
    filter: (settings) => {
      if (has(settings, 'sources', 'r2')) toggle(settings, 'sources.r2.compression-type', 'none')
      if (has(settings, 'sources', 'r2')) toggle(settings, 'sources.r2.threads', '4')
    },
    mistake: (settings) => {
      settings.set('channels.c1.capacityy', '1')
    },
  }
}

export class ReloadStorm {
  readonly #options: StormOptions
  readonly #directory = temporaryDirectory()
  readonly #file = join(this.#directory, 'storm.properties')
  readonly #agent = new Agent({ logger: silentLogger })
  #reloads = 0
  #refused = 0
  #reroutes = 0
  #restarts = 0

  constructor(options: StormOptions) {
    this.#options = options
  }

  async run(): Promise<StormResult> {
    const random = seededRandom(this.#options.seed)
    const ports = [await freePort(), await freePort()] as const
    const edits = editsOf(this.#directory, ports[1])
    const settings: Settings = new Map([
      ['sources', 'r1'],
      ['sources.r1.type', 'avro'],
      ['sources.r1.bind', '127.0.0.1'],
      ['sources.r1.port', String(ports[0])],
      ['sources.r1.channels', 'c1'],
      ['channels', 'c1'],
      ['channels.c1.type', 'memory'],
      ['channels.c1.transactionCapacity', '1000'],
      ['channels.c1.capacity', '20000'],
      ['sinks', 'k1'],
      ['sinks.k1.type', 'file_roll'],
      ['sinks.k1.channel', 'c1'],
      ['sinks.k1.sink.directory', join(this.#directory, 'k1')],
      ['sinks.k1.sink.rollInterval', '0'],
    ])
    mkdirSync(join(this.#directory, 'k1'))
    edits['source']?.(settings, random)
    const first = await this.#load(settings)
    if (!first) throw new Error('The configuration to begin with has an error')
    await this.#agent.start(first)
    const kept = [0, 1].map((i) =>
      new NumberedClient(ports[0], `kept-${i}`, { pauseMs: 1 }).start(),
    )
    const moving = new NumberedClient(ports[1], 'moving').start()
    try {
      await this.#edit(settings, edits, random)
      await Promise.all(kept.map((client) => client.goesOn()))
    } finally {
      await Promise.all([...kept, moving].map((client) => client.stop()))
      await this.#agent.stop({ deadlineMs: 10_000 })
    }
    return {
      reloads: this.#reloads,
      refused: this.#refused,
      reroutes: this.#reroutes,
      restartsOfUnchanged: this.#restarts,
      acknowledged: [...kept, moving].reduce((sum, { acknowledged }) => sum + acknowledged, 0),
      failuresOfUnchanged: kept.flatMap(({ failures }) => failures),
      audit: () => {
        const stored = this.#stored()
        for (const client of [...kept, moving]) client.audit(stored)
      },
    }
  }

  async #edit(
    settings: Settings,
    edits: Readonly<Record<string, Edit>>,
    random: () => number,
  ): Promise<void> {
    const names = Object.keys(edits)
    for (let edit = 0; edit < this.#options.edits; edit += 1) {
      const name = names[Math.floor(random() * names.length)] ?? ''
      edits[name]?.(settings, random)
      const configuration = await this.#load(settings)
      settings.delete('channels.c1.capacityy')
      if (configuration === undefined) {
        this.#refused += 1
        continue
      }
      const report = await this.#agent.reload(configuration).catch((error: unknown) => {
        if (MillraceError.is(error) && /not empty/.test(error.message)) return undefined
        throw error
      })
      if (report) this.#note(report)
    }
  }

  #note({ kept, rerouted }: ReloadReport): void {
    this.#reloads += 1
    if (rerouted.includes('source r1')) this.#reroutes += 1
    else if (!kept.includes('source r1')) this.#restarts += 1
  }

  async #load(settings: Settings) {
    const lines = [...settings].map(([key, value]) => `a1.${key} = ${value}\n`)
    writeFileSync(this.#file, lines.join(''))
    const { configuration } = await loadConfiguration({ file: this.#file, agent: 'a1' })
    return configuration
  }

  #stored(): Map<string, number> {
    const stored = new Map<string, number>()
    for (const sink of ['k1', 'k2', 'k3']) {
      const directory = join(this.#directory, sink)
      mkdirSync(directory, { recursive: true })
      for (const [body, count] of countLines(directory)) {
        stored.set(body, (stored.get(body) ?? 0) + count)
      }
    }
    return stored
  }
}
