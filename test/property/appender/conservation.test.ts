import assert from 'node:assert/strict'
import type { QueuePolicy } from '@millrace/appender'
import { seededRandom } from '@millrace/runtime'
import * as fc from 'fast-check'
import { type Answer, bench, imbalance, record } from '../../support/fake-receiver.js'

type Step =
  | { readonly kind: 'log'; readonly count: number; readonly level: number }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'down' | 'up' | 'flush'; readonly host: number }
  | { readonly kind: 'answer'; readonly host: number; readonly answer: Answer }

const level = fc.constantFrom(5_000, 10_000, 20_000, 30_000, 40_000, 50_000)
const host = fc.nat({ max: 1 })
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('log' as const), count: fc.nat({ max: 60 }), level }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.nat({ max: 3_000 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constantFrom('down' as const, 'up' as const, 'flush' as const),
      host,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('answer' as const),
      host,
      answer: fc.constantFrom<Answer>('ok', 'failed', 'lost', 'lost after storing', 'silent'),
    }),
  },
)
const setting = fc.record({
  policy: fc.constantFrom<QueuePolicy>('drop-oldest', 'drop-newest', 'drop-below-level'),
  maxEvents: fc.integer({ min: 1, max: 120 }),
  batchEvents: fc.integer({ min: 1, max: 40 }),
  lanes: fc.integer({ min: 1, max: 3 }),
  maxInFlight: fc.integer({ min: 1, max: 3 }),
  maxAgeMs: fc.constantFrom(0, 4_000),
  seed: fc.nat(),
})

describe('conservation of events in an appender', () => {
  it('accounts for every record at every instant, and delivers what it did not drop', async () => {
    await fc.assert(
      fc.asyncProperty(setting, fc.array(step, { maxLength: 40 }), async (o, steps) => {
        const { appender, clock, receivers } = bench(
          {
            hosts: ['a:1', 'b:1'],
            backoff: { minMs: 100, maxMs: 1_000 },
            batch: { maxEvents: o.batchEvents },
            queue: { policy: o.policy, maxEvents: o.maxEvents, maxAgeMs: o.maxAgeMs },
            lanes: o.lanes,
            maxInFlight: o.maxInFlight,
            requestTimeoutMs: 1_000,
          },
          { random: seededRandom(o.seed) },
        )
        const all = Object.values(receivers)
        let logged = 0
        const flushes: Promise<boolean>[] = []
        const check = () => {
          const state = appender.state()
          assert.equal(imbalance(appender), 0)
          assert.equal(state.accepted, logged)
          assert.ok(state.queued + state.inFlight <= o.maxEvents)
          assert.ok(state.queued >= 0 && state.inFlight >= 0)
          // All bodies have six digits: two bytes for the lengths and six for the text.
          assert.equal(state.queue.bytes, state.queued * 8)
        }
        for (const one of steps) {
          const receiver = 'host' in one ? all[one.host] : undefined
          if (one.kind === 'log') {
            for (let i = 0; i < one.count; i += 1) {
              const text = String(logged).padStart(6, '0')
              appender.append(record(text, one.level, `logger${logged % 5}`))
              logged += 1
              check()
            }
          } else if (one.kind === 'wait') await clock.advance(one.ms)
          else if (one.kind === 'flush') flushes.push(appender.flush({ timeoutMs: 500 }))
          else if (one.kind === 'down') receiver?.kill()
          else if (one.kind === 'up') {
            if (receiver) receiver.isUp = true
          } else if (one.kind === 'answer' && receiver) receiver.answer = () => one.answer
          check()
        }
        for (const receiver of all) {
          receiver.isUp = true
          receiver.answer = () => 'ok'
          // What never answers would be given up by the client at its time limit.
          for (const connection of receiver.connections) connection.fail(new Error('timeout'))
        }
        await clock.advance(60_000)
        check()
        await Promise.all(flushes)
        const state = appender.state()
        const { overflow, expired, ...others } = state.dropped
        assert.deepEqual(
          Object.values(others).filter((count) => count > 0),
          [],
        )
        assert.equal(state.queued + state.inFlight, 0)
        assert.equal(state.delivered, logged - overflow - expired)
        const stored = new Set(all.flatMap((receiver) => receiver.stored))
        assert.ok(stored.size >= state.delivered, `${stored.size} of ${state.delivered} stored`)
        await appender.close()
        assert.equal(clock.pendingTimers, 0)
      }),
      { numRuns: 150 },
    )
  })
})
