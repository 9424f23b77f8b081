import assert from 'node:assert/strict'
import type { Logger } from '@millrace/runtime'
import { SimulatedDisk } from '@millrace/testkit'
import { Log } from '@millrace/wal'
import {
  readRecordHeader,
  RECORD_HEADER_BYTES,
  recordBytes,
} from '@millrace/wal/internal/format/record'
import {
  decodeSegmentHeader,
  HEADER_BLOCK_BYTES,
} from '@millrace/wal/internal/format/segment-header'
import { keptLogger } from '../../support/component-context.js'
import { drain, logOptions, numbered, range } from '../../support/wal.js'

/** The one segment of a disk and where its records begin. */
function recordsOn(disk: SimulatedDisk): { path: string; places: number[]; lengths: number[] } {
  const path = disk.files().find((file) => file.includes('segment-')) ?? ''
  const bytes = disk.bytes(path)
  const header = decodeSegmentHeader(bytes, path)
  assert.ok(header)
  const places: number[] = []
  const lengths: number[] = []
  for (let at = HEADER_BLOCK_BYTES; ; ) {
    const record = readRecordHeader(bytes, at, header.seal, at)
    if (!record) return { path, places, lengths }
    places.push(at)
    lengths.push(recordBytes(record.bodyBytes))
    at += recordBytes(record.bodyBytes)
  }
}

const open = (disk: SimulatedDisk, logger?: Logger) =>
  Log.open({ ...logOptions('/log'), disk, ...(logger ? { logger } : {}) })

const quarantined = (disk: SimulatedDisk) =>
  disk.files().filter((path) => path.includes('/quarantine/'))

describe('damage in a log', () => {
  it('that a consumer meets is counted, logged and copied aside', async () => {
    const disk = new SimulatedDisk()
    const log = await open(disk)
    for (let at = 0; at < 30; at += 10) await log.append(numbered(at, at + 10, 100))
    await log.close()
    const { path, places, lengths } = recordsOn(disk)
    const [place = 0, length = 0] = [places.at(-2), lengths.at(-2)]
    const damaged = Buffer.from(disk.bytes(path).subarray(place, place + length))
    damaged[length - 50] = (damaged[length - 50] ?? 0) ^ 1
    disk.put(path, damaged, place)
    const { logger, lines } = keptLogger()
    const again = await open(disk, logger)
    assert.deepEqual(await drain(again.consumer('sinks')), [...range(0, 10), ...range(20, 30)])
    assert.equal(again.stats().damages, 1)
    assert.equal(again.stats().lostEvents, 10)
    const [copy, ...others] = quarantined(disk)
    assert.ok(copy && others.length === 0, 'one copy')
    assert.ok(disk.bytes(copy).equals(damaged), 'the copy has the damaged bytes')
    assert.ok(
      lines.some((line) => line.includes('Damaged') && line.includes(copy)),
      lines.join('\n'),
    )
    await again.close()
  })

  it('at the end of a killed log is cut and reported once, with what is valid behind it', async () => {
    const disk = new SimulatedDisk()
    const log = await open(disk)
    await log.append(numbered(0, 10, 100))
    // One group: nothing in it says that a part of it was safe before the rest.
    await Promise.all([10, 20, 30].map((at) => log.append(numbered(at, at + 10, 100))))
    const killed = disk.kill(1)
    const { path, places } = recordsOn(killed)
    const header = Buffer.from(
      killed.bytes(path).subarray(places.at(-3)).subarray(0, RECORD_HEADER_BYTES),
    )
    header[20] = (header[20] ?? 0) ^ 1
    killed.put(path, header, places.at(-3))
    const second = await open(killed)
    assert.deepEqual(
      second.recovery.findings.map(({ kind }) => kind),
      ['cut-tail'],
    )
    assert.deepEqual(await drain(second.consumer('sinks')), range(0, 10))
    await second.close()
    const third = await open(killed)
    assert.deepEqual(third.recovery.findings, [])
    assert.deepEqual(await drain(third.consumer('sinks')), range(0, 10))
    await third.append(numbered(10, 11, 100))
    await third.close()
    const fourth = await open(killed)
    assert.deepEqual(fourth.recovery.findings, [])
    assert.deepEqual(await drain(fourth.consumer('sinks')), range(0, 11))
    assert.equal(fourth.stats().lostEvents, 0)
    await fourth.close()
  })
})
