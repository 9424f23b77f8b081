import assert from 'node:assert/strict'
import { SimulatedDisk } from '@millrace/testkit'
import { Log } from '@millrace/wal'
import { readRecordHeader, recordBytes } from '@millrace/wal/internal/format/record'
import {
  decodeSegmentHeader,
  HEADER_BLOCK_BYTES,
  type SegmentHeader,
} from '@millrace/wal/internal/format/segment-header'
import { drain, logOptions, numbered, range } from '../../support/wal.js'
import { until } from '../../support/until.js'

/** Headers of the segments on a disk, oldest first. */
function segmentsOn(disk: SimulatedDisk): { path: string; header: SegmentHeader }[] {
  const found = disk
    .files()
    .filter((path) => path.includes('segment-'))
    .map((path) => ({ path, header: decodeSegmentHeader(disk.bytes(path), path) }))
  const withHeader = found.flatMap(({ path, header }) => (header ? [{ path, header }] : []))
  return withHeader.toSorted((a, b) => a.header.id - b.header.id)
}

/** Ids of the records of a segment, from its first one as far as they follow on each other. */
function recordIds(bytes: Buffer, { seal }: SegmentHeader): number[] {
  const ids: number[] = []
  for (let at = HEADER_BLOCK_BYTES; ; ) {
    const header = readRecordHeader(bytes, at, seal, at)
    if (!header) return ids
    ids.push(header.id)
    at += recordBytes(header.bodyBytes)
  }
}

/** A log on a disk whose sync fails once, after the write of a group; then it goes on. */
async function afterFailedSync(): Promise<{ disk: SimulatedDisk; log: Log }> {
  const disk = new SimulatedDisk()
  const log = await Log.open({ ...logOptions('/log'), disk })
  await log.append(numbered(0, 10))
  disk.faults.add({ kind: 'sync', path: 'segment-', code: 'EIO' })
  await assert.rejects(log.append(numbered(10, 20)), { code: 'MILLRACE_STORAGE_IO' })
  const append = () =>
    log.append(numbered(20, 30)).then(
      () => true,
      () => false,
    )
  await until(append, { what: 'a log that takes appends again' })
  return { disk, log }
}

describe('a log whose sync has failed', () => {
  it('goes on in another segment, whose header says where the proven part of the one before ends', async () => {
    const { disk, log } = await afterFailedSync()
    const [first, second] = segmentsOn(disk)
    assert.ok(first && second, 'two segments')
    assert.equal(second.header.previousId, first.header.id)
    // The group in doubt lies behind that end.
    const inDoubt = readRecordHeader(
      disk.bytes(first.path),
      second.header.previousEnd,
      first.header.seal,
      second.header.previousEnd,
    )
    assert.ok(inDoubt)
    assert.deepEqual(await drain(log.consumer('sinks')), [...range(0, 10), ...range(20, 30)])
    await log.close()
  })

  it('never uses the record ids of the group in doubt again', async () => {
    const { disk, log } = await afterFailedSync()
    const [first, second] = segmentsOn(disk)
    assert.ok(first && second, 'two segments')
    const before = recordIds(disk.bytes(first.path), first.header)
    const behind = recordIds(disk.bytes(second.path), second.header)
    assert.ok(before.length >= 3 && behind.length >= 2)
    assert.ok(
      Math.min(...behind) > Math.max(...before),
      `${before.join()} and then ${behind.join()}`,
    )
    await log.close()
  })
})
