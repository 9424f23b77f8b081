import assert from 'node:assert/strict'
import { Agent, type AgentConfiguration } from '@millrace/agent-core'
import { failoverProcessor } from '@millrace/agent-core/internal/processors/failover'
import { loadBalanceProcessor } from '@millrace/agent-core/internal/processors/load-balance'
import type { WriteResult } from '@millrace/component'
import type { EventBatch } from '@millrace/event'
import { type Random, seededRandom, silentLogger } from '@millrace/runtime'
import {
  batchOf,
  channelNode,
  component,
  HandSink,
  HandSource,
  sinkNode,
  sourceNode,
} from '../../support/agent.js'

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

/** A sink that throws, rejects, hangs until it is aborted, or asks to be restarted, as the dice fall. */
class UnrulySink extends HandSink {
  isHealed = false
  readonly #random: Random

  constructor(random: Random) {
    super()
    this.#random = random
    this.batchSize = 7
    this.onWrite = (batch, signal) => this.#misbehave(batch, signal)
  }

  async #misbehave(batch: EventBatch, signal: AbortSignal): Promise<WriteResult | undefined> {
    if (this.isHealed) return undefined
    const dice = this.#random()
    await turn()
    if (dice < 0.2) throw new Error('down')
    if (dice < 0.3) return { rejected: [{ index: batch.size - 1, reason: 'disliked' }] }
    if (dice < 0.35) {
      this.context?.fail(new Error('broken'))
      await new Promise((_, reject) =>
        signal.addEventListener('abort', () => reject(signal.reason)),
      )
    }
    return undefined
  }
}

interface Setting {
  readonly sources: readonly HandSource[]
  readonly sinks: readonly UnrulySink[]
}

/** r1 → c1 and c2, r2 → c1; c1 → a failover group of two, c2 → a balancing group of two. */
function configuration({ sources, sinks }: Setting): AgentConfiguration {
  const [r1, r2] = sources
  const limits = { capacity: 60, transactionCapacity: 20, keepAliveMs: 20 }
  const sinkOf = (index: number, channel: string) =>
    sinkNode(sinks[index]!, { name: `k${index + 1}`, channel })
  return {
    agent: 'a1',
    sources: [
      sourceNode(r1!, { channels: ['c1', 'c2'] }),
      { ...sourceNode(r2!), name: 'r2', channels: ['c1'] },
    ],
    channels: [channelNode(limits), channelNode(limits, 'c2')],
    sinks: [sinkOf(0, 'c1'), sinkOf(1, 'c1'), sinkOf(2, 'c2'), sinkOf(3, 'c2')],
    sinkGroups: [
      {
        name: 'g1',
        sinks: ['k1', 'k2'],
        processor: component('g1', failoverProcessor, { maxPenaltyMs: 1 }),
      },
      { name: 'g2', sinks: ['k3', 'k4'], processor: component('g2', loadBalanceProcessor) },
    ],
  }
}

/** Delivers numbered batches, several at a time, and notes which were acknowledged. */
async function feed(source: () => HandSource, name: string, random: Random): Promise<Set<string>> {
  const acknowledged = new Set<string>()
  let next = 0
  const deliverOne = async () => {
    const size = 1 + Math.floor(random() * 12)
    const bodies = Array.from({ length: size }, () => `${name}-${next++}`)
    try {
      await source().deliver(batchOf(...bodies))
      for (const body of bodies) acknowledged.add(body)
    } catch {
      // Refused: full, or between two runs of the source. Nothing is promised for it.
    }
  }
  for (let i = 0; i < 60; i += 1) {
    await Promise.all(Array.from({ length: 1 + Math.floor(random() * 4) }, deliverOne))
    if (random() < 0.1) source().context?.fail(new Error('broken'))
    await turn()
  }
  return acknowledged
}

describe('An agent whose sinks and sources misbehave', () => {
  for (const seed of [1, 2, 3, 4]) {
    it(`delivers every acknowledged event, also over reloads (seed ${seed})`, async () => {
      const random = seededRandom(seed)
      const make = (): Setting => ({
        sources: [new HandSource(), new HandSource()],
        sinks: Array.from({ length: 4 }, () => new UnrulySink(random)),
      })
      const settings = [make()]
      const current = () => settings.at(-1)!
      const agent = new Agent({ logger: silentLogger, random: () => 0 })
      await agent.start(configuration(current()))
      const feeding = Promise.all([
        feed(() => current().sources[0]!, 'r1', random),
        feed(() => current().sources[1]!, 'r2', random),
      ])
      for (let reload = 0; reload < 2; reload += 1) {
        for (let i = 0; i < 15; i += 1) await turn()
        const next = make()
        const reloading = agent.reload(configuration(next))
        await reloading
        settings.push(next)
      }
      const [fromR1, fromR2] = await feeding
      for (const { sinks } of settings) for (const sink of sinks) sink.isHealed = true
      const report = await agent.stop({ deadlineMs: 10_000 })

      assert.deepEqual(report, { undelivered: {} })
      const delivered = (first: number, second: number) =>
        new Set(
          settings.flatMap(({ sinks }) => [...sinks[first]!.bodies, ...sinks[second]!.bodies]),
        )
      const [throughC1, throughC2] = [delivered(0, 1), delivered(2, 3)]
      assert.ok(fromR1.size > 50 && fromR2.size > 50)
      for (const body of fromR1) assert.ok(throughC1.has(body) && throughC2.has(body), body)
      for (const body of fromR2) assert.ok(throughC1.has(body), body)
    })
  }
})
