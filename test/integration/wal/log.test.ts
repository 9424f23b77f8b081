import assert from 'node:assert/strict'
import { MillraceError } from '@millrace/runtime'
import { Log } from '@millrace/wal'
import { temporaryDirectory } from '../../support/temp-directory.js'
import { until } from '../../support/until.js'
import {
  drain,
  fill,
  logOptions,
  numbered,
  openLog,
  range,
  segmentFiles,
} from '../../support/wal.js'

const hasCode = (code: string) => (error: unknown) => MillraceError.is(error) && error.code === code

describe('a log', () => {
  it('gives a consumer every event in the order of the appends', async () => {
    const log = await openLog(temporaryDirectory())
    await Promise.all(range(0, 200).map((at) => log.append(numbered(at * 5, at * 5 + 5, 100))))
    assert.deepEqual(await drain(log.consumer('sinks')), range(0, 1000))
    await log.close()
  })

  it('shares one write and one sync among all appends of a turn', async () => {
    const log = await openLog(temporaryDirectory())
    await log.append(numbered(0, 1))
    const before = log.stats()
    await Promise.all(range(1, 101).map((at) => log.append(numbered(at, at + 1))))
    const { groups, batches } = log.stats()
    assert.deepEqual([groups - before.groups, batches - before.batches], [1, 100])
    await log.close()
  })

  it('hands out after reopening exactly what was not acknowledged, in any order of acknowledgements', async () => {
    const directory = temporaryDirectory()
    const log = await openLog(directory)
    await fill(log, 0, 1000)
    const consumer = log.consumer('sinks')
    await drain(consumer)
    // Sequences begin at 1, the numbers at 0.
    for (const [from, to] of [
      [501, 601],
      [1, 101],
      [301, 311],
      [311, 321],
    ] as const) {
      void consumer.acknowledge(from, to)
    }
    await log.close()
    const again = await openLog(directory)
    const expected = [...range(100, 300), ...range(320, 500), ...range(600, 1000)]
    assert.equal(again.consumer('sinks').backlog.events, expected.length)
    assert.deepEqual(await drain(again.consumer('sinks')), expected)
    await again.close()
  })

  it('stores acknowledgements soon when nothing is appended', async () => {
    const directory = temporaryDirectory()
    const log = await openLog(directory, { cursorIntervalMs: 5 })
    await fill(log, 0, 20)
    const consumer = log.consumer('sinks')
    await drain(consumer, { isDone: true })
    assert.equal(consumer.unstoredEvents, 20)
    await until(() => consumer.unstoredEvents === 0, { timeoutMs: 5000, what: 'stored cursors' })
    await log.close()
  })

  it('lets an acknowledgement wait when more than maxRepeatedEvents are not stored', async () => {
    const log = await openLog(temporaryDirectory(), {
      maxRepeatedEvents: 10,
      cursorIntervalMs: 1_000_000,
    })
    await fill(log, 0, 30)
    const consumer = log.consumer('sinks')
    await drain(consumer)
    assert.equal(consumer.acknowledge(1, 11), undefined)
    const waiting = consumer.acknowledge(11, 12)
    assert.ok(waiting)
    await waiting
    assert.equal(consumer.unstoredEvents, 0)
    await log.close()
  })

  it('keeps a segment until every consumer is done with it, and uses its file again', async () => {
    const directory = temporaryDirectory()
    const log = await openLog(directory, { consumers: ['fast', 'slow'] })
    await fill(log, 0, 1000)
    await drain(log.consumer('fast'), { isDone: true })
    const { segments } = log.stats()
    assert.ok(segments >= 4)
    await drain(log.consumer('slow'), { isDone: true })
    await until(() => log.stats().segments === 1, { timeoutMs: 5000, what: 'free segments' })
    const files = segmentFiles(directory)
    const { bytesWritten } = log.stats()
    await fill(log, 1000, 1400)
    assert.deepEqual(segmentFiles(directory), files)
    assert.ok(log.stats().bytesWritten - bytesWritten < 1.3 * 400 * 210)
    assert.deepEqual(await drain(log.consumer('slow')), range(1000, 1400))
    await log.close()
  })

  it('reads a consumer that lags far behind from the disk, while appends go on', async () => {
    const log = await openLog(temporaryDirectory(), { recentBytes: 1000 })
    const appending = fill(log, 0, 2000)
    const numbers: number[] = []
    while (numbers.length < 2000) {
      numbers.push(...(await drain(log.consumer('sinks'), { isDone: true })))
      await new Promise((resolve) => setImmediate(resolve))
    }
    await appending
    assert.deepEqual(numbers, range(0, 2000))
    assert.equal(log.stats().lostEvents, 0)
    await log.close()
  })

  it('keeps acknowledged segments as long and as large as its retention says', async () => {
    const directory = temporaryDirectory()
    const log = await openLog(directory, { retention: { bytes: 3 * 65_536 }, spareSegments: 0 })
    await fill(log, 0, 2000)
    await drain(log.consumer('sinks'), { isDone: true })
    await until(() => log.stats().segments === 4, {
      timeoutMs: 5000,
      what: 'three retained segments',
    })
    await log.close()
  })

  it('uses its data directories in turn', async () => {
    const directory = temporaryDirectory()
    const dataDirectories = [`${directory}/a`, `${directory}/b`]
    const log = await openLog(directory, { dataDirectories })
    await fill(log, 0, 1500)
    const counts = [segmentFiles(directory, 'a').length, segmentFiles(directory, 'b').length]
    assert.ok(Math.abs((counts[0] ?? 0) - (counts[1] ?? 0)) <= 1, String(counts))
    await log.close()
    const again = await openLog(directory, { dataDirectories })
    assert.deepEqual(await drain(again.consumer('sinks')), range(0, 1500))
    await again.close()
  })

  it('refuses a batch beyond maxBatchBytes, and takes the next one', async () => {
    const log = await openLog(temporaryDirectory(), { maxBatchBytes: 1000 })
    await assert.rejects(log.append(numbered(0, 1, 1000)), hasCode('MILLRACE_LOG_TOO_LARGE'))
    await log.append(numbered(1, 2))
    assert.deepEqual(await drain(log.consumer('sinks')), [1])
    await log.close()
  })

  it('gives a batch that is longer than a segment a segment of its own', async () => {
    const directory = temporaryDirectory()
    const log = await openLog(directory)
    const batches = [
      numbered(7, 8),
      numbered(0, 3, 400_000),
      numbered(8, 9),
      numbered(5, 6, 65_536),
    ]
    await Promise.all(batches.map((batch) => log.append(batch)))
    await log.append(numbered(9, 10))
    await log.close()
    const again = await openLog(directory)
    assert.deepEqual(again.recovery.findings, [])
    assert.deepEqual(await drain(again.consumer('sinks'), { isDone: true }), [7, 0, 1, 2, 8, 5, 9])
    await until(() => again.stats().segments === 1, { timeoutMs: 5000, what: 'free segments' })
    await again.close()
  })

  it('commits on close what was appended before, refuses what comes after, and closes twice', async () => {
    const directory = temporaryDirectory()
    const log = await openLog(directory)
    const appended = log.append(numbered(0, 5))
    const closed = log.close()
    await assert.rejects(log.append(numbered(5, 6)), hasCode('MILLRACE_LOG_CLOSED'))
    await Promise.all([appended, closed, log.close()])
    const again = await openLog(directory)
    assert.deepEqual(await drain(again.consumer('sinks')), range(0, 5))
    await again.close()
  })

  it('is written synchronously when it was opened so', async () => {
    const directory = temporaryDirectory()
    const options = { durability: 'write', preallocate: false } as const
    const log = Log.openSync(logOptions(directory, options))
    for (const at of range(0, 1000)) log.appendSync(numbered(at, at + 1, 200))
    assert.deepEqual((await drain(log.consumer('sinks'), { isDone: true })).length, 1000)
    log.appendSync(numbered(1000, 1001))
    await log.close()
    const again = Log.openSync(logOptions(directory, options))
    assert.deepEqual(await drain(again.consumer('sinks')), [1000])
    await again.close()
  })

  it('goes on with another segment length than it was written with', async () => {
    const directory = temporaryDirectory()
    const log = await openLog(directory)
    await fill(log, 0, 700)
    await log.close()
    const again = await openLog(directory, { segmentBytes: 200_000 })
    await fill(again, 700, 2500)
    assert.deepEqual(await drain(again.consumer('sinks')), range(0, 2500))
    await again.close()
  })
})
