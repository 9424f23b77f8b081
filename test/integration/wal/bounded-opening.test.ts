import assert from 'node:assert/strict'
import { temporaryDirectory } from '../../support/temp-directory.js'
import { fill, openLog } from '../../support/wal.js'
import { HEADER_BLOCK_BYTES } from '@millrace/wal/internal/format/segment-header'
import { SLOT_BYTES, SLOTS } from '@millrace/wal/internal/format/checkpoint'

const SEGMENT_BYTES = 65_536
/** Read at once at most, beyond what is wanted. */
const READ_AHEAD_BYTES = 1_048_576

/** Bytes that opening reads with a backlog of so many events, and how many segments hold it. */
async function openingBytes(events: number): Promise<{ bytes: number; segments: number }> {
  const directory = temporaryDirectory()
  const log = await openLog(directory)
  await fill(log, 0, events, 100)
  await log.close()
  const again = await openLog(directory)
  const { bytesRead: bytes, segments } = again.stats()
  assert.equal(again.consumer('sinks').backlog.events, events)
  await again.close()
  return { bytes, segments }
}

describe('opening a log', () => {
  it('reads the headers of its segments, the checkpoint and one segment, whatever the backlog', async () => {
    const small = await openingBytes(100)
    const large = await openingBytes(8_000)
    assert.ok(large.segments >= 25, `${large.segments} segments`)
    const fixed = SLOTS * SLOT_BYTES + SEGMENT_BYTES + READ_AHEAD_BYTES
    for (const { bytes, segments } of [small, large])
      assert.ok(bytes <= segments * HEADER_BLOCK_BYTES * 2 + fixed, `${bytes} of ${segments}`)
    const headers = (large.segments - small.segments) * HEADER_BLOCK_BYTES
    assert.ok(large.bytes - small.bytes <= headers + SEGMENT_BYTES, `${large.bytes - small.bytes}`)
  })
})
