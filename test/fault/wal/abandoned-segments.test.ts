import assert from 'node:assert/strict'
import { EventBatch } from '@millrace/event'
import { SimulatedDisk } from '@millrace/testkit'
import { Log } from '@millrace/wal'
import { decodeSegmentHeader } from '@millrace/wal/internal/format/segment-header'
import { until } from '../../support/until.js'
import { drain, logOptions } from '../../support/wal.js'

/** A third of a segment. */
const event = (number: number) => EventBatch.of([{ body: `${number}`.padEnd(20_000, '.') }])

describe('a segment that was begun in vain', () => {
  it('is no part of the log, though its file is there after a kill and looks whole', async () => {
    const disk = new SimulatedDisk()
    const log = await Log.open({ ...logOptions('/log'), disk })
    await log.append(event(1))
    await log.append(event(2))
    await until(() => log.stats().freeFiles > 0, { what: 'a file for the next segment' })
    // The next one begins the second segment: its header and its group are written, their sync fails. Its file
    // cannot be removed.
    disk.faults.add({ kind: 'sync', path: 'segment-', code: 'EIO' })
    disk.faults.add({ kind: 'remove', code: 'EIO', isLasting: true })
    await assert.rejects(log.append(event(99)), { code: 'MILLRACE_STORAGE_IO' })
    const append = (number: number) => () =>
      log.append(event(number)).then(
        () => true,
        () => false,
      )
    for (const number of [3, 4, 5, 6]) await until(append(number), { what: `${number} stored` })
    const killed = disk.kill(1)
    const headers = killed
      .files()
      .filter((path) => path.includes('segment-'))
      .flatMap((path) => decodeSegmentHeader(killed.bytes(path), path) ?? [])
    assert.equal(headers.filter(({ firstSequence }) => firstSequence === 3).length, 2)
    const again = await Log.open({ ...logOptions('/log'), disk: killed })
    assert.deepEqual(await drain(again.consumer('sinks')), [1, 2, 3, 4, 5, 6])
    assert.equal(again.stats().lostEvents, 0)
    await again.close()
  })
})
