import assert from 'node:assert/strict'
import {
  type FailoverOptions,
  failoverProcessor,
  FailoverSinkProcessor,
} from '@millrace/agent-core/internal/processors/failover'
import { loadBalanceProcessor } from '@millrace/agent-core/internal/processors/load-balance'
import type { Outcome, SinkHandle, SinkProcessor } from '@millrace/component'
import { MillraceError, seededRandom, silentLogger } from '@millrace/runtime'
import { FakeClock } from '@millrace/testkit'

const { signal } = new AbortController()

/** Sinks that do what the test says, and the order in which they were asked. */
class Group {
  readonly clock = new FakeClock()
  readonly sinks = ['k1', 'k2', 'k3'].map((name) => ({ name }))
  readonly failing = new Set<string>()
  outcome: Outcome = 'ready'
  #asked: string[] = []

  readonly attempt = async ({ name }: SinkHandle): Promise<Outcome> => {
    this.#asked.push(name)
    if (this.failing.has(name)) throw new Error(`${name} is down`)
    return this.outcome
  }

  /** The sinks asked in one round. */
  async round(processor: SinkProcessor): Promise<string[]> {
    this.#asked = []
    await processor.process(this.attempt, signal).catch((error: unknown) => {
      assert.ok(MillraceError.is(error) && error.code === 'MILLRACE_DELIVERY_FAILED')
    })
    return this.#asked
  }
}

const failover = (group: Group, given: Partial<FailoverOptions> = {}) =>
  new FailoverSinkProcessor({
    sinks: group.sinks,
    priorities: { k1: 1, k2: 10, k3: 5 },
    maxPenaltyMs: 30_000,
    clock: group.clock,
    logger: silentLogger,
    ...given,
  })

describe('FailoverSinkProcessor', () => {
  it('uses the sink of the highest priority, then the next', async () => {
    const group = new Group()
    const processor = failover(group)
    assert.deepEqual(await group.round(processor), ['k2'])
    group.failing.add('k2')
    assert.deepEqual(await group.round(processor), ['k2', 'k3'])
    assert.deepEqual(await group.round(processor), ['k3'])
    group.failing.add('k3')
    assert.deepEqual(await group.round(processor), ['k3', 'k1'])
  })

  it('leaves a failed sink alone for 2, 4, 8, 16, 30, 30 … s', async () => {
    const group = new Group()
    const processor = failover(group)
    group.failing.add('k2')
    await group.round(processor)
    for (const penaltyMs of [2_000, 4_000, 8_000, 16_000, 30_000, 30_000]) {
      await group.clock.advance(penaltyMs)
      assert.deepEqual(await group.round(processor), ['k3'], `not before ${penaltyMs} ms`)
      await group.clock.advance(1)
      assert.deepEqual(await group.round(processor), ['k2', 'k3'], `after ${penaltyMs} ms`)
    }
  })

  it('still waits maxpenalty after very many failures', async () => {
    const group = new Group()
    const processor = failover(group, { maxPenaltyMs: 1_500 })
    group.failing.add('k2')
    await group.round(processor)
    for (let failure = 1; failure < 70; failure += 1) {
      await group.clock.advance(1_500)
      assert.deepEqual(await group.round(processor), ['k3'], `failure ${failure}`)
      await group.clock.advance(1)
      assert.deepEqual(await group.round(processor), ['k2', 'k3'])
    }
  })

  it('takes a sink back when it has written something, not when there was nothing to write', async () => {
    const group = new Group()
    const processor = failover(group)
    group.failing.add('k2')
    await group.round(processor)
    group.failing.clear()
    await group.clock.advance(2_001)
    group.outcome = 'backoff'
    assert.deepEqual(await group.round(processor), ['k2'])
    assert.deepEqual(await group.round(processor), ['k2'], 'is still on probation, first in line')
    group.failing.add('k2')
    assert.deepEqual(await group.round(processor), ['k2', 'k3'], 'its next penalty is 4 s')
    await group.clock.advance(4_001)
    group.failing.clear()
    group.outcome = 'ready'
    assert.deepEqual(await group.round(processor), ['k2'])
    assert.deepEqual(await group.round(processor), ['k2'])
  })

  it('puts sinks without a priority last, in the order of the list', async () => {
    const group = new Group()
    const processor = failover(group, { priorities: { k3: 0 } })
    group.failing.add('k3').add('k1')
    assert.deepEqual(await group.round(processor), ['k3', 'k1', 'k2'])
  })

  it('keeps both sinks of one priority in rotation, the first listed first, and warns', async () => {
    const group = new Group()
    const priorities = { k1: 5, k2: 5, k3: 5 }
    const processor = failover(group, { priorities })
    group.failing.add('k1').add('k2')
    assert.deepEqual(await group.round(processor), ['k1', 'k2', 'k3'])
    const wiring = { channels: [], sinks: ['k1', 'k2', 'k3'] }
    const problems = failoverProcessor.check?.({ priorities, maxPenaltyMs: 1 }, wiring) ?? []
    assert.deepEqual(
      problems.map(({ key, severity }) => [key, severity]),
      [
        ['processor.priority.k2', 'warning'],
        ['processor.priority.k3', 'warning'],
      ],
    )
  })

  it('does not take an aborted round for the failure of a sink', async () => {
    const group = new Group()
    const processor = failover(group)
    const controller = new AbortController()
    const attempt = async () => {
      controller.abort()
      throw new Error('aborted')
    }
    await assert.rejects(processor.process(attempt, controller.signal), /aborted/)
    assert.deepEqual(await group.round(processor), ['k2'])
  })
})

describe('LoadBalancingSinkProcessor', () => {
  const loadBalance = (group: Group, options: { backoff?: boolean; selector?: 'RANDOM' } = {}) =>
    loadBalanceProcessor.create({
      agent: 'a1',
      name: 'g1',
      options: { backoff: false, selector: 'ROUND_ROBIN', maxTimeOutMs: 30_000, ...options },
      logger: silentLogger,
      clock: group.clock,
      random: seededRandom(1),
      sinks: group.sinks,
    })

  it('takes the sinks in turn', async () => {
    const group = new Group()
    const processor = loadBalance(group)
    const asked: string[] = []
    for (let i = 0; i < 4; i += 1) asked.push(...(await group.round(processor)))
    assert.deepEqual(asked, ['k1', 'k2', 'k3', 'k1'])
  })

  it('ends a round with the first sink that does not fail, also when it had nothing to write', async () => {
    const group = new Group()
    const processor = loadBalance(group)
    group.failing.add('k1')
    group.outcome = 'backoff'
    assert.deepEqual(await group.round(processor), ['k1', 'k2'])
  })

  it('asks a failing sink again in the next round without backoff', async () => {
    const group = new Group()
    const processor = loadBalance(group)
    group.failing.add('k1')
    const asked = [await group.round(processor), await group.round(processor)]
    assert.deepEqual(asked, [['k1', 'k2'], ['k2']])
    assert.deepEqual(await group.round(processor), ['k3'])
    assert.deepEqual(await group.round(processor), ['k1', 'k2'])
  })

  it('leaves a failing sink out for 2, then 4 s with backoff', async () => {
    const group = new Group()
    const processor = loadBalance(group, { backoff: true })
    group.failing.add('k1')
    await group.round(processor)
    const isAsked = async () => {
      const asked = [...(await group.round(processor)), ...(await group.round(processor))]
      return [...asked, ...(await group.round(processor))].includes('k1')
    }
    await group.clock.advance(2_000)
    assert.equal(await isAsked(), false)
    await group.clock.advance(1)
    assert.equal(await isAsked(), true)
    await group.clock.advance(4_000)
    assert.equal(await isAsked(), false)
    await group.clock.advance(1)
    assert.equal(await isAsked(), true)
  })

  for (const selector of ['ROUND_ROBIN', 'RANDOM'] as const) {
    it(`fails with EventDeliveryError when all sinks are left out (${selector})`, async () => {
      const group = new Group()
      const options = selector === 'RANDOM' ? { selector } : {}
      const processor = loadBalance(group, { backoff: true, ...options })
      for (const { name } of group.sinks) group.failing.add(name)
      assert.equal((await group.round(processor)).length, 3)
      assert.deepEqual(await group.round(processor), [])
    })
  }

  it('spreads at random over all sinks with RANDOM', async () => {
    const group = new Group()
    const processor = loadBalance(group, { selector: 'RANDOM' })
    const counts = new Map<string, number>()
    for (let i = 0; i < 300; i += 1) {
      const [name = ''] = await group.round(processor)
      counts.set(name, (counts.get(name) ?? 0) + 1)
    }
    for (const { name } of group.sinks) assert.ok((counts.get(name) ?? 0) > 70)
  })
})
