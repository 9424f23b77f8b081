/** What a durable channel promises beyond any other: what it stored is there when it is opened again. */
import assert from 'node:assert/strict'
import { assertCode, type ChannelFixture, LIMITS } from './channel-fixture.js'
import { assertSameEvents, bodiesOf, numberedEvents, numbers } from './numbered-events.js'
import { rejected, resolved } from './settling.js'

type DeclareCase = (title: string, body: (fixture: ChannelFixture) => Promise<void>) => void

const LIVE = new AbortController().signal
const STOP = { deadlineMs: 1_000 }

/** Stops the channel and opens another object with its settings. */
async function reopened(
  fixture: ChannelFixture,
  body: (next: ChannelFixture) => Promise<void>,
): Promise<void> {
  await fixture.stop(STOP)
  const next = fixture.another()
  try {
    await next.start(LIVE)
    await body(next)
  } finally {
    await next.close()
  }
}

export function durableCases(it: DeclareCase): void {
  it('says that it is durable', async ({ channel }) => assert.equal(channel.isDurable, true))

  it('has what was put when it is opened again, byte for byte and in order', async (fixture) => {
    await fixture.put(numberedEvents(0, 20))
    await fixture.put(numberedEvents(20, 5))
    await reopened(fixture, async ({ channel, taken }) => {
      assert.equal(channel.size.events, 25)
      assertSameEvents((await taken(20)).batch, numberedEvents(0, 20))
      assertSameEvents((await taken(20)).batch, numberedEvents(20, 5))
    })
  })

  it('gives what was not committed again, and what was committed not', async (fixture) => {
    await fixture.put(numberedEvents(0, 20))
    await (await fixture.taken(3)).commit()
    await fixture.taken(4)
    await (await fixture.taken(2)).rollback()
    await reopened(fixture, async ({ channel, taken }) => {
      assert.equal(channel.size.events, 17)
      assert.deepEqual(bodiesOf((await taken(20)).batch), numbers(3, 17))
    })
  })

  it('remembers what was committed out of order', async (fixture) => {
    await fixture.put(numberedEvents(0, 10))
    await fixture.put(numberedEvents(10, 10))
    await fixture.taken(2)
    await (await fixture.taken(6)).commit({ except: [1, 4] })
    await fixture.taken(4)
    await (await fixture.taken(3)).commit()
    const left = ['0', '1', '3', '6', '8', '9', '13', '14', '15', '16', '17', '18', '19']
    await reopened(fixture, async ({ channel, taken }) => {
      assert.equal(channel.size.events, left.length)
      assert.deepEqual(bodiesOf((await taken(20)).batch), left)
    })
  })

  it('is as full as before when it is opened again', async (fixture) => {
    for (let at = 0; at < LIMITS.capacity; at += 20) await fixture.put(numberedEvents(at, 20))
    await reopened(fixture, async (next) => {
      const refused = next.reserve(numberedEvents(0, 1))
      assertCode(await rejected(refused, 'a put'), 'MILLRACE_CHANNEL_FULL', true)
      await (await next.taken(20)).commit()
      await resolved(next.put(numberedEvents(LIMITS.capacity, 20)), 'a put with room')
    })
  })

  it('stores a put that was under way when it was stopped, or refuses it', async (fixture) => {
    const batches = [0, 1, 2, 3].map((i) => numberedEvents(i * 5, 5))
    const puts = Promise.allSettled(batches.map((batch) => fixture.put(batch)))
    await fixture.stop(STOP)
    const stored = await puts
    const expected = stored.flatMap(({ status }, i) =>
      status === 'fulfilled' ? numbers(i * 5, 5) : [],
    )
    await reopened(fixture, async ({ channel, taken }) => {
      assert.equal(channel.size.events, expected.length)
      if (expected.length > 0) {
        assert.deepEqual(bodiesOf((await taken(20)).batch), expected)
      }
    })
  })

  it('keeps a second object out while it is open, and lets it in afterwards', async (fixture) => {
    await fixture.put(numberedEvents(0, 1))
    const second = fixture.another()
    await assert.rejects(second.start(LIVE))
    await second.stop(STOP)
    await (await fixture.taken(1)).rollback()
    await reopened(fixture, async ({ channel }) => assert.equal(channel.size.events, 1))
  })
}
