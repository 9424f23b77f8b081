/**
 * An agent under load is ended by SIGKILL again and again, at random moments: while it starts, while it
 * works and while it stops. Then everything that was acknowledged must be in the files of its sink.
 */
import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { seededRandom } from '@millrace/runtime'
import { AgentProcess } from '../agent-process.js'
import { freePort } from '../free-port.js'
import { temporaryDirectory } from '../temp-directory.js'
import { until } from '../until.js'
import { type Audit, audit, StoredEvents } from './audit.js'
import { PipeliningSender } from './pipelining-sender.js'

export interface CampaignOptions {
  readonly kills: number
  readonly seed: number
  /** Senders, each with a connection of its own. Default 4. */
  readonly senders?: number
  /** Sinks on the channel; with one, order is checked. Default 1. */
  readonly sinks?: number
  /** Over those of the file channel; keys without the agent's name. */
  readonly settings?: Readonly<Record<string, string>>
  readonly onKill?: (kill: Kill) => void
}

export interface Kill {
  readonly number: number
  readonly moment: Moment
  /** From the moment's beginning to the signal. */
  readonly afterMs: number
}

type Moment = 'starting' | 'working' | 'stopping'

export interface CampaignResult extends Audit {
  readonly kills: readonly Kill[]
  /** Most copies that the senders and the crashes account for. */
  readonly duplicateBound: number
  /** Most duplicates that the files of one run of the agent hold. */
  readonly mostDuplicatesOfARun: number
  /** Answers other than OK. */
  readonly refusals: number
  /** What the agents said of damage and loss. */
  readonly complaints: readonly string[]
}

/** Longest waits for the signal in milliseconds, and how often each moment is chosen. */
const MOMENTS: readonly { moment: Moment; mostMs: number; share: number }[] = [
  { moment: 'starting', mostMs: 400, share: 0.15 },
  { moment: 'working', mostMs: 500, share: 0.7 },
  { moment: 'stopping', mostMs: 60, share: 0.15 },
]
/** Events that the channel may hand out again after a crash. */
const MAX_REPEATED_EVENTS = 500
/** Small, so that the sinks, which sync each batch, fall behind and the channel holds a backlog. */
const SINK_BATCH_SIZE = 5
/** Of the last run, which empties the channel. */
const DRAIN_BATCH_SIZE = 1_000
const DRAIN_TIMEOUT_MS = 60_000

const sinkNames = (count: number) => Array.from({ length: count }, (_, i) => `k${i + 1}`)

function fileChannelSettings(directory: string, sinks: number): Record<string, string> {
  const names = sinkNames(sinks)
  const stored = join(directory, 'stored')
  return {
    sinks: names.join(' '),
    'channels.c1.type': 'file',
    'channels.c1.checkpointDir': join(directory, 'checkpoint'),
    'channels.c1.dataDirs': `${join(directory, 'data1')},${join(directory, 'data2')}`,
    'channels.c1.capacity': '200000',
    'channels.c1.transactionCapacity': '10000',
    'channels.c1.minimumRequiredSpace': '1048576',
    'channels.c1.checkpointInterval': '300',
    'channels.c1.segmentSize': '262144',
    'channels.c1.maxRepeatedEvents': String(MAX_REPEATED_EVENTS),
    ...Object.fromEntries(
      names.flatMap((name) => [
        [`sinks.${name}.type`, 'file_roll'],
        [`sinks.${name}.channel`, 'c1'],
        [`sinks.${name}.sink.directory`, stored],
        [`sinks.${name}.sink.pathManager.prefix`, name],
        [`sinks.${name}.sink.rollInterval`, '0'],
        [`sinks.${name}.sink.batchSize`, String(SINK_BATCH_SIZE)],
      ]),
    ),
  }
}

/** Lines of an agent's log that speak of lost or damaged events. */
const COMPLAINT = /below the durable frontier|are lost|has no position/

export class Kill9Campaign {
  readonly #options: CampaignOptions
  readonly #directory = temporaryDirectory()
  readonly #settings: Readonly<Record<string, string>>
  readonly #kills: Kill[] = []
  readonly #complaints: string[] = []
  /** Files of the sinks after each run of the agent. */
  readonly #files: string[][] = []
  #port = 0

  constructor(options: CampaignOptions) {
    this.#options = options
    const channel = fileChannelSettings(this.#directory, options.sinks ?? 1)
    this.#settings = { ...channel, ...options.settings }
  }

  async run(): Promise<CampaignResult> {
    const { kills, seed, senders: count = 4 } = this.#options
    const random = seededRandom(seed)
    this.#port = await freePort()
    const records = join(this.#directory, 'acknowledged')
    mkdirSync(records)
    const senders = Array.from({ length: count }, (_, i) =>
      new PipeliningSender({
        name: `s${i}`,
        port: this.#port,
        recordFile: join(records, `s${i}`),
        random: seededRandom(seed * 1_000 + i),
      }).start(),
    )
    for (let number = 1; number <= kills; number += 1) await this.#killOnce(number, random)
    await this.#drain(senders)
    const stored = new StoredEvents()
    let mostDuplicatesOfARun = 0
    for (const run of this.#newFiles()) {
      const before = stored.duplicates
      for (const file of run) await stored.read(join(this.#directory, 'stored', file))
      mostDuplicatesOfARun = Math.max(mostDuplicatesOfARun, stored.duplicates - before)
    }
    const sum = (key: 'resentEvents' | 'refusals') =>
      senders.reduce((total, sender) => total + sender[key], 0)
    const perKill = MAX_REPEATED_EVENTS + SINK_BATCH_SIZE * (this.#options.sinks ?? 1)
    return {
      ...audit(records, senders, stored),
      kills: this.#kills,
      duplicateBound: kills * perKill + sum('resentEvents'),
      mostDuplicatesOfARun,
      refusals: sum('refusals'),
      complaints: this.#complaints,
    }
  }

  #launch(settings: Readonly<Record<string, string>> = {}): Promise<AgentProcess> {
    return AgentProcess.launch({
      directory: this.#directory,
      port: this.#port,
      settings: { ...this.#settings, ...settings },
      args: ['--no-reload-conf'],
    })
  }

  async #killOnce(number: number, random: () => number): Promise<void> {
    let draw = random()
    const chosen = MOMENTS.find(({ share }) => (draw -= share) < 0) ?? MOMENTS[1]
    const { moment = 'working', mostMs = 0 } = chosen ?? {}
    const afterMs = random() * mostMs
    const agent = await this.#launch()
    try {
      if (moment !== 'starting') await agent.command.shows(/^ready agent=a1\b/m, 30_000)
      if (moment === 'stopping') {
        await pause(random() * 200)
        agent.command.kill('SIGTERM')
      }
      // The moment itself is what is varied: there is no condition to wait for.
      await pause(afterMs)
    } finally {
      await agent.kill()
    }
    this.#noteRun(agent)
    const kill = { number, moment, afterMs }
    this.#kills.push(kill)
    this.#options.onKill?.(kill)
  }

  /** A last run, which is not killed: the senders end, and the sinks empty the channel. */
  async #drain(senders: readonly PipeliningSender[]): Promise<void> {
    const larger = sinkNames(this.#options.sinks ?? 1).map(
      (name) => [`sinks.${name}.sink.batchSize`, String(DRAIN_BATCH_SIZE)] as const,
    )
    const agent = await this.#launch(Object.fromEntries(larger))
    try {
      await agent.command.shows(/^ready agent=a1\b/m, 30_000)
      await Promise.all(senders.map((sender) => sender.stop()))
      await until(async () => (await agent.metrics())['CHANNEL.c1']?.['ChannelSize'] === '0', {
        timeoutMs: DRAIN_TIMEOUT_MS,
        what: 'an empty channel',
      })
      await agent.stop()
    } finally {
      await agent.kill()
    }
    this.#noteRun(agent)
  }

  #noteRun(agent: AgentProcess): void {
    const { code, signal } = {
      code: agent.command.child.exitCode,
      signal: agent.command.child.signalCode,
    }
    if (code !== null && code !== 0)
      throw new Error(`The agent ended with ${code} (${signal}):\n${agent.log}`)
    this.#complaints.push(...agent.log.split('\n').filter((line) => COMPLAINT.test(line)))
    this.#files.push(readdirSync(agent.storedDirectory).toSorted())
  }

  /** For each run of the agent the files that were not there before. */
  #newFiles(): string[][] {
    const known = new Set<string>()
    return this.#files.map((files) => {
      const added = files.filter((file) => !known.has(file))
      for (const file of added) known.add(file)
      return added
    })
  }
}
