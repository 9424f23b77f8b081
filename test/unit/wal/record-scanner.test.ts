import assert from 'node:assert/strict'
import { SimulatedDisk } from '@millrace/testkit'
import { runSync } from '@millrace/wal/internal/disk/steps'
import {
  bodyChecksum,
  RECORD_EVENTS,
  RECORD_HEADER_BYTES,
  recordBytes,
  type Seal,
  writeRecordHeader,
} from '@millrace/wal/internal/format/record'
import { RecordScanner } from '@millrace/wal/internal/reading/record-scanner'

const SEAL: Seal = { mark: 0xcafe0001, seed: 77 }
const START = 8_192

interface Planned {
  readonly id: number
  readonly bodyBytes?: number
  readonly seal?: Seal
}

/** A file of records one behind the other, and where each begins. */
function fileOf(records: readonly Planned[]): { bytes: Buffer; places: number[] } {
  const parts: Buffer[] = [Buffer.alloc(START)]
  const places: number[] = []
  let at = START
  for (const { id, bodyBytes = 24, seal = SEAL } of records) {
    const body = Buffer.alloc(bodyBytes, id)
    const record = Buffer.alloc(recordBytes(bodyBytes))
    writeRecordHeader(record, 0, seal, {
      offset: at,
      type: RECORD_EVENTS,
      bodyBytes,
      events: 1,
      id,
      firstSequence: id,
      appendedAtMs: 0,
      frontier: START,
      bodyCrc: bodyChecksum(body, seal),
    })
    body.copy(record, RECORD_HEADER_BYTES)
    parts.push(record)
    places.push(at)
    at += record.length
  }
  return { bytes: Buffer.concat(parts), places }
}

/** What a scanner finds: ids of records, and damaged ranges. */
function scan(bytes: Buffer, lastId = 0): (number | string)[] {
  const disk = new SimulatedDisk()
  disk.put('/segment', bytes)
  const scanner = new RecordScanner(disk.openSync('/segment', 'read'), SEAL, { at: START, lastId })
  const found: (number | string)[] = []
  for (;;) {
    const scanned = runSync(scanner.next(bytes.length))
    if (!scanned) return found
    if (scanned.kind === 'record') found.push(scanned.header.id)
    else found.push(`damage ${scanned.from - START} to ${scanned.to - START}`)
  }
}

const LENGTH = recordBytes(24)

describe('RecordScanner', () => {
  it('finds the records one behind the other', () => {
    assert.deepEqual(scan(fileOf([{ id: 4 }, { id: 5 }, { id: 9 }]).bytes), [4, 5, 9])
  })

  it('takes no record that is not younger than the one before', () => {
    const { bytes } = fileOf([{ id: 10 }, { id: 11 }, { id: 5 }, { id: 11 }, { id: 12 }])
    assert.deepEqual(scan(bytes), [10, 11, `damage ${2 * LENGTH} to ${4 * LENGTH}`, 12])
    assert.deepEqual(scan(bytes, 11), [`damage 0 to ${4 * LENGTH}`, 12])
  })

  it('takes no record of another seal, whichever half of it differs', () => {
    for (const seal of [
      { ...SEAL, mark: SEAL.mark + 1 },
      { ...SEAL, seed: SEAL.seed + 1 },
    ]) {
      const { bytes } = fileOf([{ id: 1 }, { id: 2, seal }, { id: 3 }])
      assert.deepEqual(scan(bytes), [1, `damage ${LENGTH} to ${2 * LENGTH}`, 3])
    }
  })

  it('takes no record that lies at another place than it was written for', () => {
    const { bytes, places } = fileOf([{ id: 1 }, { id: 2 }, { id: 3 }, { id: 4 }])
    const [, second = 0, third = 0] = places
    bytes.copyWithin(second, third, third + LENGTH)
    assert.deepEqual(scan(bytes), [1, `damage ${LENGTH} to ${2 * LENGTH}`, 3, 4])
  })

  it('finds the next record behind a damaged header wherever its mark lies, also across two reads', () => {
    // Reads are of 1 MiB and begin behind the damaged header: the marks lie around the end of the first.
    for (let shift = -80; shift <= 16; shift += 8) {
      const bodyBytes = 1_048_576 + shift
      const { bytes, places } = fileOf([{ id: 1 }, { id: 2, bodyBytes }, { id: 3 }])
      const [, second = 0, third = 0] = places
      bytes.fill(0, second, second + RECORD_HEADER_BYTES)
      assert.deepEqual(
        scan(bytes),
        [1, `damage ${second - START} to ${third - START}`, 3],
        `${shift}`,
      )
    }
  })

  it('takes the bytes of a mark in a body for nothing', () => {
    const { bytes, places } = fileOf([{ id: 1 }, { id: 2, bodyBytes: 200 }, { id: 3 }])
    const [, second = 0, third = 0] = places
    for (let at = second; at + 4 <= third; at += 8) bytes.writeUInt32LE(SEAL.mark, at)
    assert.deepEqual(scan(bytes), [1, `damage ${second - START} to ${third - START}`, 3])
  })
})
