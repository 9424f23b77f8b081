import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readUint64, writeUint64 } from '@millrace/wal/internal/format/integers'
import {
  encodeSegmentHeader,
  HEADER_BLOCK_BYTES,
} from '@millrace/wal/internal/format/segment-header'
import { temporaryDirectory } from '../../support/temp-directory.js'
import { drain, fill, openLog, range } from '../../support/wal.js'

const SEGMENT_BYTES = 65_536
const EDGES = { '2^31': 2 ** 31, '2^32': 2 ** 32, '2^52': 2 ** 52 } as const

/** A data directory with an empty segment whose numbers begin below an edge. */
function directoryAt(edge: number): string {
  const directory = temporaryDirectory()
  mkdirSync(join(directory, 'data'))
  const header = encodeSegmentHeader({
    logId: '00112233445566778899aabbccddeeff',
    id: edge - 2,
    fileNumber: 1,
    bytes: SEGMENT_BYTES,
    seal: { mark: 0xfffffffe, seed: 0xffffffff },
    previousId: 0,
    previousEnd: 0,
    firstSequence: edge - 505,
    firstRecordId: edge - 50,
    createdAtMs: 1_700_000_000_000,
  })
  const file = Buffer.concat([header, Buffer.alloc(SEGMENT_BYTES - HEADER_BLOCK_BYTES)])
  writeFileSync(join(directory, 'data', 'segment-0000000001.wal'), file)
  return directory
}

describe('numbers of a log', () => {
  it('are written and read exactly up to 2^53 - 1', () => {
    const bytes = Buffer.alloc(8)
    for (const edge of [0, 2 ** 31, 2 ** 32, 2 ** 48, 2 ** 52, 2 ** 53 - 2]) {
      for (const value of [edge, edge + 1, Math.max(0, edge - 1)]) {
        writeUint64(bytes, value, 0)
        assert.equal(readUint64(bytes, 0), value)
        assert.equal(bytes.readBigUInt64LE(0), BigInt(value))
      }
    }
  })

  for (const [name, edge] of Object.entries(EDGES)) {
    it(`go on over ${name}: sequences, record ids and segment ids`, async () => {
      const directory = directoryAt(edge)
      const log = await openLog(directory)
      const first = log.stats().nextSequence
      assert.equal(first, edge - 505)
      await fill(log, 0, 1_000)
      assert.equal(log.stats().nextSequence, first + 1_000)
      assert.ok(log.stats().segments > 3)
      assert.deepEqual(await drain(log.consumer('sinks')), range(0, 1_000))
      // On both sides of the edge, and out of order.
      await log.consumer('sinks').acknowledge(edge, edge + 100)
      await log.consumer('sinks').acknowledge(first, edge - 5)
      await log.close()
      const again = await openLog(directory)
      const expected = [...range(500, 505), ...range(605, 1_000)]
      assert.deepEqual(await drain(again.consumer('sinks')), expected)
      assert.deepEqual(again.recovery.findings, [])
      assert.equal(again.stats().lostEvents, 0)
      await again.close()
    })
  }
})
