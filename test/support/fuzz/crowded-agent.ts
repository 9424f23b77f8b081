/** An agent with an idle crowd and hostile clients, and how long the calls of a good client take beside them. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { EventBatch } from '@millrace/event'
import { AvroRpcClient } from '@millrace/rpc'
import { repository } from '../repository.js'
import { until } from '../until.js'
import { attackableAgent } from './server-fuzz.js'

export interface CrowdOptions {
  readonly connections: number
  /** Of each of the three measurements. */
  readonly seconds: number
  readonly seed: number
  /** Hostile conversations in a second. */
  readonly casesPerSecond: number
}

export interface CrowdReport {
  /** Calls of ten events of the good client, in milliseconds. */
  readonly p99Ms: { readonly alone: number; readonly idle: number; readonly attacked: number }
  readonly calls: number
  readonly connections: number
  readonly idleBytes: number
  readonly peakBytes: number
}

/** Between two calls, in milliseconds. */
const PAUSE_MS = 2
const EVENTS = 10

class TimedClient {
  readonly #client: AvroRpcClient
  #sent = 0

  constructor(port: number) {
    this.#client = new AvroRpcClient({ host: '127.0.0.1', port })
  }

  get sent(): number {
    return this.#sent
  }

  /** Calls for some seconds; the time that 99 of 100 stayed below. */
  async p99(seconds: number): Promise<number> {
    const times: number[] = []
    const endsAt = performance.now() + seconds * 1_000
    while (performance.now() < endsAt) {
      const events = Array.from({ length: EVENTS }, (_, i) => ({
        headers: { client: 'good' },
        body: `timed-${this.#sent + i}`,
      }))
      const begun = performance.now()
      await this.#client.appendBatch(EventBatch.of(events))
      times.push(performance.now() - begun)
      this.#sent += EVENTS
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
    }
    const sorted = times.toSorted((a, b) => a - b)
    return Math.round((sorted[Math.floor(sorted.length * 0.99)] ?? 0) * 1_000) / 1_000
  }

  close(): Promise<void> {
    return this.#client.close()
  }
}

function startCrowd(args: readonly string[]): ChildProcess {
  const program = join(repository, 'test', 'dist', 'bench', 'rpc', 'hostile-crowd.js')
  return spawn(process.execPath, [program, ...args], { stdio: ['pipe', 'pipe', 'inherit'] })
}

/** @throws when the crowd or the good client is not served, or what that one got OK for is not stored. */
export async function crowdedAgent(options: CrowdOptions): Promise<CrowdReport> {
  const { connections, seconds, seed, casesPerSecond } = options
  const { agent, ports } = await attackableAgent()
  const good = new TimedClient(ports.plain)
  const words = [JSON.stringify(ports), connections, seed, casesPerSecond].map(String)
  let crowd: ChildProcess | undefined
  try {
    await good.p99(3)
    const alone = await good.p99(seconds)
    crowd = startCrowd(words)
    let said = ''
    crowd.stdout?.on('data', (chunk: Buffer) => (said += chunk.toString()))
    const says = (word: string) =>
      until(() => said.includes(word), { timeoutMs: 60_000, what: `the crowd is ${word}` })
    await says('ready')
    const source = (await agent.metrics())['SOURCE.r1']
    const open = Number(source?.['OpenConnectionCount'])
    assert.ok(open > connections, `${open} connections are open`)
    const idle = await good.p99(seconds)
    const idleBytes = agent.peakBytes()
    crowd.stdin?.write('go\n')
    await says('fuzzing')
    const attacked = await good.p99(seconds)
    assert.equal(crowd.exitCode, null, 'the crowd is still there')
    const peakBytes = agent.peakBytes()
    await good.close()
    crowd.kill('SIGKILL')
    await agent.stop()
    const stored = agent.stored()
    for (let i = 0; i < good.sent; i += 1) assert.equal(stored.get(`timed-${i}`), 1, `event ${i}`)
    const p99Ms = { alone, idle, attacked }
    return { p99Ms, calls: good.sent / EVENTS, connections: open, idleBytes, peakBytes }
  } finally {
    crowd?.kill('SIGKILL')
    await good.close()
    await agent.kill()
  }
}
