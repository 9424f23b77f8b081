import assert from 'node:assert/strict'
import { inspectLog, readLog, verifyLog } from '@millrace/wal'
import { temporaryDirectory } from '../../support/temp-directory.js'
import { fill, logOptions, numbered, openLog, range } from '../../support/wal.js'

const numbersOf = (batch: { [Symbol.iterator](): Iterator<{ body: Buffer }> }) =>
  [...batch].map(({ body }) => Number.parseInt(body.toString(), 10))

describe('the tools for a log in use', () => {
  it('find nothing wrong, however fast its segments are used again', async () => {
    const directory = temporaryDirectory()
    const place = logOptions(directory)
    const log = await openLog(directory)
    const consumer = log.consumer('sinks')
    let isOver = false
    let appended = 0
    const writing = (async () => {
      while (!isOver) {
        await log.append(numbered(appended, appended + 50, 500))
        appended += 50
        for (const { firstSequence, batch } of await consumer.read({ maxBytes: 100_000 })) {
          // Some stay for a while, so that several segments are kept.
          const done = Math.max(1, firstSequence - 200)
          await consumer.acknowledge(done, firstSequence + batch.size - 200)
        }
      }
    })()
    try {
      for (let look = 0; look < 25; look += 1) {
        const { findings, isSound, lostEvents, owner } = await verifyLog(place)
        assert.deepEqual(
          [isSound, lostEvents, owner],
          [true, 0, String(process.pid)],
          `look ${look}: ${JSON.stringify(findings)}`,
        )
        const { consumers } = await inspectLog(place)
        assert.ok((consumers[0]?.backlog.events ?? 0) <= 1_000, `look ${look}`)
        let next: number | undefined
        const onLost = () => assert.fail(`look ${look}: a loss`)
        for await (const { batch, firstSequence } of readLog(place, {
          consumer: 'sinks',
          onLost,
        })) {
          next ??= firstSequence
          assert.equal(firstSequence, next, `look ${look}`)
          assert.deepEqual(
            numbersOf(batch),
            range(firstSequence - 1, firstSequence - 1 + batch.size),
          )
          next += batch.size
        }
      }
    } finally {
      isOver = true
      await writing
      await log.close()
    }
    assert.ok(appended > 1_000 && log.stats().segments < appended / 100)
  })

  it('select by consumer, sequence and time', async () => {
    const directory = temporaryDirectory()
    const place = logOptions(directory)
    const log = await openLog(directory)
    await fill(log, 0, 30)
    const consumer = log.consumer('sinks')
    await consumer.read({ maxBytes: 1_000_000 })
    await consumer.acknowledge(1, 4)
    await consumer.acknowledge(11, 14)
    await log.close()
    const read = async (options: Parameters<typeof readLog>[1]) => {
      const numbers: number[] = []
      for await (const { batch } of readLog(place, options)) numbers.push(...numbersOf(batch))
      return numbers
    }
    assert.deepEqual(await read({}), range(0, 30))
    assert.deepEqual(await read({ consumer: 'sinks' }), [...range(3, 10), ...range(13, 30)])
    assert.deepEqual(await read({ fromSequence: 5, toSequence: 8 }), [4, 5, 6])
    assert.deepEqual(await read({ toTimeMs: 1 }), [])
    assert.deepEqual(await read({ fromTimeMs: Date.now() - 60_000 }), range(0, 30))
    await assert.rejects(read({ consumer: 'other' }), /no consumer other; it has sinks/)
    const { consumers } = await inspectLog(place)
    assert.deepEqual([consumers[0]?.sequence, consumers[0]?.backlog.events], [4, 24])
  })
})
