import assert from 'node:assert/strict'
import { EventBatch } from '@millrace/event'
import { SimulatedDisk } from '@millrace/testkit'
import { type Consumer, Log } from '@millrace/wal'
import {
  bodyChecksum,
  readRecordHeader,
  RECORD_EVENTS,
  RECORD_HEADER_BYTES,
  recordBytes,
  type Seal,
  writeRecordHeader,
} from '@millrace/wal/internal/format/record'
import {
  decodeSegmentHeader,
  HEADER_BLOCK_BYTES,
  type SegmentHeader,
} from '@millrace/wal/internal/format/segment-header'
import { drain, fill, logOptions, numbered } from '../../support/wal.js'

interface Found {
  readonly path: string
  readonly header: SegmentHeader
  /** Behind its last record. */
  readonly end: number
}

function segmentsOn(disk: SimulatedDisk): Found[] {
  return disk
    .files()
    .filter((path) => path.includes('segment-'))
    .flatMap((path) => {
      const bytes = disk.bytes(path)
      const header = decodeSegmentHeader(bytes, path)
      return header ? [{ path, header, end: endOf(bytes, header) }] : []
    })
    .toSorted((a, b) => a.header.id - b.header.id)
}

function endOf(bytes: Buffer, { seal }: SegmentHeader): number {
  for (let at = HEADER_BLOCK_BYTES; ; ) {
    const header = readRecordHeader(bytes, at, seal, at)
    if (!header) return at
    at += recordBytes(header.bodyBytes)
  }
}

/** A whole record for a place, as one who knows the seal of another segment can make it. */
function forge(seal: Seal, offset: number, firstSequence: number): Buffer {
  const body = EventBatch.of([{ body: 'forged' }]).bytes
  const record = Buffer.alloc(recordBytes(body.length))
  writeRecordHeader(record, 0, seal, {
    offset,
    type: RECORD_EVENTS,
    bodyBytes: body.length,
    events: 1,
    id: 1_000_000,
    firstSequence,
    appendedAtMs: 1_700_000_000_000,
    frontier: HEADER_BLOCK_BYTES,
    bodyCrc: bodyChecksum(body, seal),
  })
  body.copy(record, RECORD_HEADER_BYTES)
  return record
}

/** Of an event without headers: how far its body of 200 bytes lies behind the start of its record. */
const BODY_DISTANCE = RECORD_HEADER_BYTES + 3

async function bodiesOf(consumer: Consumer): Promise<string[]> {
  const bodies: string[] = []
  for (;;) {
    const read = await consumer.read({ maxBytes: 1e6 })
    if (read.length === 0) return bodies
    for (const { batch } of read) for (const { body } of batch) bodies.push(body.toString('latin1'))
  }
}

describe('records of a log', () => {
  it('carry a mark and a seed that no other use of a file has', async () => {
    const disk = new SimulatedDisk()
    const log = await Log.open({ ...logOptions('/log'), disk })
    const seals = new Map<number, string>()
    for (let round = 0; round < 12; round += 1) {
      await fill(log, round * 300, round * 300 + 300, 100)
      for (const { header } of segmentsOn(disk))
        seals.set(header.id, `${header.seal.mark} ${header.seal.seed}`)
      await drain(log.consumer('sinks'), { isDone: true })
    }
    await log.close()
    assert.ok(seals.size >= 8, `${seals.size} segments`)
    assert.equal(new Set(seals.values()).size, seals.size)
  })

  it('are not taken from the body of an event, though it lies at its place and has the seal of another segment', async () => {
    const disk = new SimulatedDisk()
    const log = await Log.open({ ...logOptions('/log'), disk })
    for (let at = 0; log.stats().segments < 2; at += 50)
      await log.append(numbered(at, at + 50, 200))
    const [other, active] = segmentsOn(disk)
    assert.ok(other && active, 'two segments')
    const sequence = log.stats().nextSequence
    const bodyAt = active.end + BODY_DISTANCE
    const padding = (8 - (bodyAt % 8)) % 8
    const body = Buffer.alloc(200)
    forge(other.header.seal, bodyAt + padding, sequence).copy(body, padding)
    await log.append(EventBatch.of([{ body }]))
    assert.equal(disk.bytes(active.path).indexOf('forged') > 0, true)
    await log.append(EventBatch.of([{ body: 'behind it' }]))
    await log.close()
    disk.put(active.path, Buffer.alloc(RECORD_HEADER_BYTES), active.end)
    const again = await Log.open({ ...logOptions('/log'), disk })
    const bodies = await bodiesOf(again.consumer('sinks'))
    assert.equal(bodies.at(-1), 'behind it')
    assert.deepEqual(
      bodies.filter((each) => each.includes('forged')),
      [],
    )
    assert.equal(again.stats().lostEvents, 1)
    await again.close()
  })
})
