import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { bench, record } from '../../support/fake-receiver.js'

interface Item {
  readonly text: string
  readonly level: number
}

const LEVELS = [5_000, 10_000, 20_000, 30_000, 40_000, 50_000]
const WARN = 30_000

/** What `drop-below-level` keeps, said as simply as it can be. */
function kept(items: readonly Item[], maxEvents: number): string[] {
  const queue: Item[] = []
  for (const item of items) {
    queue.push(item)
    if (queue.length <= maxEvents) continue
    const lowest = Math.min(...queue.map(({ level }) => level))
    const goes = lowest < WARN ? queue.findIndex(({ level }) => level === lowest) : 0
    queue.splice(goes, 1)
  }
  return queue.map(({ text }) => text)
}

describe('drop-below-level', () => {
  it('keeps what a plain model keeps', async () => {
    const levels = fc.array(fc.constantFrom(...LEVELS), { maxLength: 400 })
    await fc.assert(
      fc.asyncProperty(levels, fc.integer({ min: 1, max: 100 }), async (all, maxEvents) => {
        const { appender, clock, receivers } = bench({
          queue: { policy: 'drop-below-level', maxEvents },
        })
        const [a] = Object.values(receivers)
        assert.ok(a)
        a.isUp = false
        const items = all.map((level, i) => ({ text: `${i} ${'.'.repeat(300)}`, level }))
        for (const { text, level } of items) appender.append(record(text, level))
        a.isUp = true
        await clock.advance(60_000)
        assert.deepEqual(a.stored, kept(items, maxEvents))
      }),
      { numRuns: 200 },
    )
  })
})
