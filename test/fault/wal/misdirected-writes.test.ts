import assert from 'node:assert/strict'
import { SimulatedDisk } from '@millrace/testkit'
import { Log } from '@millrace/wal'
import { readRecordHeader, RECORD_EVENTS, recordBytes } from '@millrace/wal/internal/format/record'
import {
  decodeSegmentHeader,
  HEADER_BLOCK_BYTES,
} from '@millrace/wal/internal/format/segment-header'
import { drain, logOptions, numbered, range } from '../../support/wal.js'

const RECORDS = 40

/** A closed log of equally long records of one event each, on one segment, and where they lie. */
async function closedLog(): Promise<{
  disk: SimulatedDisk
  path: string
  places: number[]
  length: number
}> {
  const disk = new SimulatedDisk()
  const log = await Log.open({ ...logOptions('/log'), disk })
  for (let at = 0; at < RECORDS; at += 1) await log.append(numbered(100 + at, 101 + at, 300))
  await log.close()
  const path = disk.files().find((file) => file.includes('segment-')) ?? ''
  const bytes = disk.bytes(path)
  const header = decodeSegmentHeader(bytes, path)
  assert.ok(header)
  const places: number[] = []
  let length = 0
  for (let at = HEADER_BLOCK_BYTES; ; ) {
    const record = readRecordHeader(bytes, at, header.seal, at)
    if (!record) return { disk, path, places, length }
    if (record.type === RECORD_EVENTS) {
      places.push(at)
      length = recordBytes(record.bodyBytes)
    }
    at += recordBytes(record.bodyBytes)
  }
}

describe('a log on a disk that writes to the wrong place', () => {
  for (const [name, from, to] of [
    ['a later record over an earlier one', 30, 10],
    ['an earlier record over a later one', 10, 30],
  ] as const) {
    it(`loses the record that was overwritten, and no other: ${name}`, async () => {
      const { disk, path, places, length } = await closedLog()
      assert.equal(places.length, RECORDS)
      const source = places[from] ?? 0
      const copy = Buffer.from(disk.bytes(path).subarray(source, source + length))
      disk.put(path, copy, places[to])
      const log = await Log.open({ ...logOptions('/log'), disk })
      const expected = range(100, 100 + RECORDS).filter((number) => number !== 100 + to)
      assert.deepEqual(await drain(log.consumer('sinks')), expected)
      assert.equal(log.stats().lostEvents, 1)
      await log.close()
    })
  }
})
