/** Logs that are damaged on purpose, and what must be left of them. */
import assert from 'node:assert/strict'
import { EventBatch } from '@millrace/event'
import { FakeClock, SimulatedDisk } from '@millrace/testkit'
import { Log, type LogOptions, type ReadBatch } from '@millrace/wal'
import { readRecordHeader, recordBytes } from '@millrace/wal/internal/format/record'
import {
  decodeSegmentHeader,
  HEADER_BLOCK_BYTES,
} from '@millrace/wal/internal/format/segment-header'
import { Choice } from './choice.js'

const HEADER_BYTES = 64
const EVENTS = 1
/** Before the body of an event without headers: their number, and the length in two bytes. */
const AVRO_BYTES = 3
export const PAGE_BYTES = 4096
export const DATA = '/log/data'
export const CHECKPOINT_FILE = '/log/checkpoint/cursors.wal'
export const IDENTITY_FILE = `${DATA}/directory.wal`

/** A record of a log: header and body lie in [from, to), padding behind. */
export interface StoredRecord {
  readonly path: string
  readonly from: number
  readonly to: number
  readonly isEvents: boolean
  readonly firstSequence: number
  readonly events: number
}

/** A log at rest. */
export interface StoredLog {
  readonly disk: SimulatedDisk
  readonly options: LogOptions
  readonly records: readonly StoredRecord[]
  /** What was put, by the sequence of the first event. */
  readonly batches: ReadonlyMap<number, EventBatch>
  readonly segments: readonly string[]
}

/** What a consumer gets of a log, and what the log says about the rest. */
export interface Remains {
  readonly reads: readonly ReadBatch[]
  readonly lostEvents: number
  readonly log: Log
  /** As the log left it. */
  readonly disk: SimulatedDisk
  /** As the log found it. */
  readonly found: SimulatedDisk
}

/** `seed`: what the ids and salts of the log depend on. */
function optionsOf(disk: SimulatedDisk, seed: number): LogOptions {
  const random = new Choice(seed)
  return {
    checkpointDirectory: '/log/checkpoint',
    dataDirectories: [DATA],
    consumers: ['a'],
    segmentBytes: 65_536,
    randomBytes: (length) => Buffer.from(Array.from({ length }, () => random.int(0, 255))),
    clock: new FakeClock(),
    disk,
  }
}

function batchOf(bodies: readonly Uint8Array[]): EventBatch {
  return EventBatch.of(bodies.map((body) => ({ body })))
}

class Writing {
  readonly disk = new SimulatedDisk(3)
  readonly #seed: number
  readonly batches = new Map<number, EventBatch>()
  #log: Log | undefined
  #nextSequence = 1

  constructor(seed: number) {
    this.#seed = seed
  }

  get log(): Log {
    if (!this.#log) throw new Error('The log is not open')
    return this.#log
  }

  async open(): Promise<void> {
    this.#log = await Log.open(optionsOf(this.disk, this.#seed))
    this.#nextSequence = this.#log.stats().nextSequence
  }

  append(bodies: readonly Uint8Array[]): Promise<void> {
    const batch = batchOf(bodies)
    this.batches.set(this.#nextSequence, batch)
    this.#nextSequence += batch.size
    return this.log.append(batch)
  }

  /** The log as it is on the disk now. */
  stored(): StoredLog {
    const disk = this.disk.clone()
    const segments = segmentsOf(disk)
    const records = segments.flatMap((path) => recordsOf(disk, path))
    return { disk, options: optionsOf(disk, this.#seed), records, batches: this.batches, segments }
  }
}

/**
 * A small log whose bodies are copies of its own segment: they hold valid records of the same seal, and whole
 * segment headers. Each append is a group of its own, but the last ones, which share one.
 */
export async function smallLog(isClosed: boolean): Promise<StoredLog> {
  const writing = new Writing(99)
  const other = await segmentOfAnotherLog()
  await writing.open()
  await writing.append([Buffer.from('first'), Buffer.from('second'), Buffer.from('third')])
  await writing.append([Buffer.alloc(90, 1)])
  const segment = () => writing.disk.bytes(segmentsOf(writing.disk)[0] as string)
  // No batch ends with a zero: a file that is cut short is filled with zeroes again.
  const copy = (from: number, bytes: number) =>
    Buffer.concat([segment().subarray(from, from + bytes), Buffer.from([1])])
  await writing.append([copy(HEADER_BLOCK_BYTES, 600)])
  await writing.append([copy(0, 130), copy(HEADER_BLOCK_BYTES - 60, 700)])
  // Each record of the other log lies where it says that it lies, and is younger than all records of this one.
  const place = recordsOf(writing.disk, segmentsOf(writing.disk)[0] as string).at(
    -1,
  ) as StoredRecord
  const bodyAt = Math.ceil(place.to / 8) * 8 + HEADER_BYTES + AVRO_BYTES
  await writing.append([Buffer.concat([other.subarray(bodyAt, bodyAt + 800), Buffer.from([1])])])
  await Promise.all([
    writing.append([Buffer.alloc(30, 2), copy(HEADER_BLOCK_BYTES + 128, 400)]),
    writing.append([Buffer.alloc(7, 3)]),
    writing.append([Buffer.alloc(0), copy(HEADER_BLOCK_BYTES + 128, 400)]),
  ])
  if (isClosed) await writing.log.close()
  return writing.stored()
}

/** The first segment of a log whose records have high ids. */
async function segmentOfAnotherLog(): Promise<Buffer> {
  const writing = new Writing(98)
  await writing.open()
  for (let count = 0; count < 60; count += 1) await writing.append([Buffer.alloc(count % 20, 5)])
  return writing.disk.bytes(segmentsOf(writing.disk)[0] as string)
}

/** A log of several segments with bodies of random length. */
export async function largeLog(segments: number): Promise<StoredLog> {
  const writing = new Writing(99)
  const choice = new Choice(5)
  await writing.open()
  while (writing.log.stats().segments < segments) {
    const count = choice.int(1, 12)
    const bodies = Array.from({ length: count }, () => Buffer.alloc(choice.int(0, 900), count))
    await writing.append(bodies)
  }
  await writing.log.close()
  return writing.stored()
}

export function segmentsOf(disk: SimulatedDisk): string[] {
  const isUsed = (path: string) =>
    decodeSegmentHeader(disk.bytes(path).subarray(0, HEADER_BLOCK_BYTES), path) !== undefined
  return disk
    .files()
    .filter((path) => /\/segment-\d+\.wal$/.test(path) && isUsed(path))
    .toSorted()
}

function recordsOf(disk: SimulatedDisk, path: string): StoredRecord[] {
  const bytes = disk.bytes(path)
  const header = decodeSegmentHeader(bytes.subarray(0, HEADER_BLOCK_BYTES), path)
  assert.ok(header, path)
  const records: StoredRecord[] = []
  for (let at = HEADER_BLOCK_BYTES; ; ) {
    const record = readRecordHeader(bytes, at, header.seal, at)
    if (!record) return records
    records.push({
      path,
      from: at,
      to: at + HEADER_BYTES + record.bodyBytes,
      isEvents: record.type === EVENTS,
      firstSequence: record.firstSequence,
      events: record.events,
    })
    at += recordBytes(record.bodyBytes)
  }
}

/** Opens a damaged copy of a log and reads all that is left. */
export async function remainsOf(
  { options }: StoredLog,
  disk: SimulatedDisk,
  isSync = false,
): Promise<Remains> {
  const found = disk.clone()
  const own = { ...options, disk, clock: new FakeClock() }
  const log = isSync ? Log.openSync(own) : await Log.open(own)
  const consumer = log.consumer('a')
  const reads: ReadBatch[] = []
  for (let empty = 0; empty < 2; ) {
    const some = await consumer.read({ maxBytes: 100_000 })
    empty = some.length === 0 ? empty + 1 : 0
    reads.push(...some)
  }
  return { reads, lostEvents: log.stats().lostEvents, log, disk, found }
}

/** The records that damage to [from, to) of a file hits. */
export function hitBy(
  stored: StoredLog,
  path: string,
  range: { from: number; to: number },
): StoredRecord[] {
  return stored.records.filter(
    (record) => record.path === path && record.from < range.to && record.to > range.from,
  )
}

/** All that was not hit is delivered as it was put, nothing else is, and the loss is exact. */
export function checkRemains(
  stored: StoredLog,
  hit: readonly StoredRecord[],
  remains: Remains,
  what: string,
): void {
  const expected = stored.records.filter((record) => record.isEvents && !hit.includes(record))
  assert.deepEqual(
    remains.reads.map((read) => [read.firstSequence, read.batch.size]),
    expected.map((record) => [record.firstSequence, record.events]),
    `${what}: not what is undamaged was delivered`,
  )
  for (const { batch, firstSequence } of remains.reads) {
    const put = stored.batches.get(firstSequence)
    assert.ok(put && batch.bytes.equals(put.bytes), `${what}: ${firstSequence} has other bytes`)
  }
  const lost = hit.reduce((sum, record) => sum + record.events, 0)
  assert.equal(remains.lostEvents, lost, `${what}: number of lost events`)
}

/** The same log with bits turned. */
export function withFlip({ disk }: StoredLog, path: string, ...bits: number[]): SimulatedDisk {
  const copy = disk.clone((bits[0] ?? 0) + 1)
  for (const bit of bits) {
    const at = bit >> 3
    const byte = copy.bytes(path)[at] as number
    copy.put(path, Buffer.from([byte ^ (1 << (bit & 7))]), at)
  }
  return copy
}

export function withTruncation({ disk }: StoredLog, path: string, size: number): SimulatedDisk {
  const copy = disk.clone(size + 1)
  copy.truncate(path, size)
  return copy
}

export function withZeroes(
  { disk }: StoredLog,
  pages: readonly { readonly path: string; readonly page: number }[],
): SimulatedDisk {
  const copy = disk.clone()
  for (const { path, page } of pages) copy.put(path, Buffer.alloc(PAGE_BYTES), page * PAGE_BYTES)
  return copy
}
