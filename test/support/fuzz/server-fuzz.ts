/**
 * An agent that listens on a plain port, with deflate, with TLS and with both, is attacked on all of them
 * while a good client goes on beside; what that one got OK for is in the stored files in the end.
 */
import assert from 'node:assert/strict'
import { AgentProcess } from '../agent-process.js'
import { TestCertificate } from '../certificates.js'
import { freePort } from '../free-port.js'
import { NumberedClient } from '../numbered-client.js'
import { until } from '../until.js'
import { recordedCorpus } from './corpus.js'
import { type FuzzCase, caseText } from './fuzz-case.js'
import { attackOnServer } from './generate.js'
import { playServerCase, type ServerPorts } from './server-case.js'

export interface FuzzOptions {
  readonly seconds: number
  readonly seed: number
  /** Told every some seconds how far it is. */
  readonly progress?: (line: string) => void
}

export interface FuzzReport {
  readonly cases: number
  readonly oks: number
  readonly peakBytes: number
  readonly goodEvents: number
}

/** Most memory of an agent under attack, in bytes. */
export const MOST_AGENT_BYTES = 250_000_000
/** Connections at one time. */
const LANES = 12
/** Cases between two looks at the agent. */
const WAVE = 600

const source = (name: string, port: number): Record<string, string> => ({
  [`sources.${name}.type`]: 'avro',
  [`sources.${name}.bind`]: '127.0.0.1',
  [`sources.${name}.port`]: String(port),
  [`sources.${name}.channels`]: 'c1 c2',
  // Events of attackers must not take the room of the good client's.
  [`sources.${name}.selector.type`]: 'multiplexing',
  [`sources.${name}.selector.header`]: 'client',
  [`sources.${name}.selector.mapping.good`]: 'c1',
  [`sources.${name}.selector.default`]: 'c2',
})

/** An agent with all four layers, for attacks. */
export async function attackableAgent(): Promise<{ agent: AgentProcess; ports: ServerPorts }> {
  const [plain, deflate, tls, tlsDeflate] = [
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
  ]
  const store = new TestCertificate('server', undefined, ['127.0.0.1']).writeStore()
  const secured = (name: string) => ({
    [`sources.${name}.ssl`]: 'true',
    [`sources.${name}.keystore`]: store,
  })
  const agent = await AgentProcess.start({
    port: plain,
    settings: {
      sources: 'r1 r2 r3 r4',
      channels: 'c1 c2',
      sinks: 'k1 k2',
      ...source('r1', plain),
      ...source('r2', deflate),
      ...source('r3', tls),
      ...source('r4', tlsDeflate),
      'sources.r2.compression-type': 'deflate',
      'sources.r4.compression-type': 'deflate',
      ...secured('r3'),
      ...secured('r4'),
      'channels.c2.type': 'memory',
      'channels.c2.capacity': '20000',
      'channels.c2.transactionCapacity': '10000',
      'channels.c2.keep-alive': '1',
      'sinks.k2.type': 'null',
      'sinks.k2.channel': 'c2',
    },
  })
  return { agent, ports: { plain, deflate, tls, tlsDeflate } }
}

/** A failure of one case, with what is needed to play it again. */
export class FuzzFailure extends Error {
  constructor(fuzz: FuzzCase, cause: unknown) {
    super(`${fuzz.about}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
    this.name = 'FuzzFailure'
  }
}

/** Attacks for some seconds. @throws when the agent or its good client came to harm. */
export async function fuzzServer(options: FuzzOptions): Promise<FuzzReport> {
  const corpus = recordedCorpus()
  const { agent, ports } = await attackableAgent()
  const good = new NumberedClient(ports.plain, 'good').start()
  const endsAt = performance.now() + options.seconds * 1_000
  let { seed } = options
  let oks = 0
  const lane = async (last: number) => {
    while (seed < last && performance.now() < endsAt) {
      const fuzz = await attackOnServer(seed++, corpus)
      try {
        const outcome = await playServerCase(fuzz, ports)
        oks += outcome.oks
      } catch (error) {
        throw new FuzzFailure(fuzz, error)
      }
    }
  }
  try {
    await good.goesOn(20)
    while (performance.now() < endsAt) {
      const first = seed
      await Promise.all(Array.from({ length: LANES }, () => lane(first + WAVE)))
      const those = `seeds ${first} to ${seed - 1}`
      await isUnharmed(agent, good, those)
      options.progress?.(`${those}: ${agent.residentBytes()} bytes`)
    }
    const peakBytes = agent.peakBytes()
    await good.stop()
    await agent.stop()
    good.audit(agent.stored())
    assert.equal(good.doubledIn(agent.stored()), 0)
    return { cases: seed - options.seed, oks, peakBytes, goodEvents: good.acknowledged }
  } finally {
    await good.stop()
    await agent.kill()
  }
}

/** After a wave: it runs, says nothing of a broken program, holds no connection, and serves. */
async function isUnharmed(agent: AgentProcess, good: NumberedClient, those: string) {
  assert.ok(agent.isRunning, `${those}: the agent ended\n${agent.log}`)
  await good.goesOn(3)
  assert.deepEqual(good.failures, [], those)
  assert.ok(agent.peakBytes() < MOST_AGENT_BYTES, `${those}: ${agent.peakBytes()} bytes`)
  assert.doesNotMatch(
    agent.log,
    /TypeError|RangeError|ReferenceError|unhandled|ERR_INTERNAL/,
    those,
  )
  const connections = async () => {
    const metrics = await agent.metrics()
    return ['r1', 'r2', 'r3', 'r4']
      .map((name) => Number(metrics[`SOURCE.${name}`]?.['OpenConnectionCount']))
      .reduce((sum, count) => sum + count, 0)
  }
  let open = Number.NaN
  await until(
    async () => {
      open = await connections()
      return open === 1
    },
    { timeoutMs: 5_000, what: () => `${those}: ${open} connections, of which one is good` },
  )
}

/** Plays one seed of a campaign again, and gives its file. */
export async function serverCaseText(seed: number): Promise<string> {
  return caseText(await attackOnServer(seed, recordedCorpus()))
}
