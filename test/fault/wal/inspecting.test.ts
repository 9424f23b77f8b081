import assert from 'node:assert/strict'
import type { SimulatedDisk } from '@millrace/testkit'
import { type LogPlace, readLog, repairLog, verifyLog } from '@millrace/wal'
import { Choice } from '../../support/wal/choice.js'
import {
  checkRemains,
  hitBy,
  largeLog,
  PAGE_BYTES,
  remainsOf,
  type StoredLog,
  type StoredRecord,
  smallLog,
  withFlip,
  withTruncation,
  withZeroes,
} from '../../support/wal/damage.js'

const placeOf = ({ options }: StoredLog, disk: SimulatedDisk): LogPlace => ({
  checkpointDirectory: options.checkpointDirectory,
  dataDirectories: options.dataDirectories,
  disk,
})

const contentOf = (disk: SimulatedDisk) =>
  new Map(disk.files().map((path) => [path, disk.bytes(path).toString('latin1')]))

const eventsOf = (records: readonly StoredRecord[]) =>
  records.reduce((sum, { events }) => sum + events, 0)

async function readAll(place: LogPlace) {
  const sequences: [number, number][] = []
  let lost = 0
  for await (const { firstSequence, batch } of readLog(place, {
    consumer: 'a',
    onLost: (from, to) => (lost += to - from),
  })) {
    sequences.push([firstSequence, batch.size])
  }
  return { sequences, lost }
}

/** The tools tell what a consumer would find, change nothing, and repair leaves a log without a finding. */
async function check(
  stored: StoredLog,
  disk: SimulatedDisk,
  hit: readonly StoredRecord[],
  what: string,
): Promise<void> {
  const place = placeOf(stored, disk)
  const before = contentOf(disk)
  const verification = await verifyLog(place)
  const { sequences, lost } = await readAll(place)
  const dryRun = await repairLog(place, { apply: false })
  assert.deepEqual(contentOf(disk), before, `${what}: a file has changed`)
  assert.equal(verification.lostEvents, eventsOf(hit), `${what}: lost events`)
  assert.equal(lost, eventsOf(hit), `${what}: lost events of a read`)
  if (hit.length > 0) assert.equal(verification.isSound, false, what)
  const left = stored.records.filter((record) => record.isEvents && !hit.includes(record))
  assert.deepEqual(
    sequences,
    left.map(({ firstSequence, events }) => [firstSequence, events]),
    what,
  )
  const repair = await repairLog(place, { apply: true, consumers: ['a'] })
  assert.deepEqual(
    repair.actions.map(({ kind, path }) => [kind, path]),
    dryRun.actions.map(({ kind, path }) => [kind, path]),
    `${what}: what was announced`,
  )
  for (const action of repair.actions) assert.equal(action.failure, undefined, what)
  const after = await verifyLog(place)
  assert.deepEqual(
    after.findings.filter(({ kind }) => kind !== 'foreign'),
    [],
    what,
  )
  assert.ok(after.isSound && after.lostEvents === 0, what)
  const remains = await remainsOf(stored, disk)
  assert.equal(remains.lostEvents, 0, `${what}: the loss is accepted`)
  checkRemains(stored, hit, { ...remains, lostEvents: eventsOf(hit) }, what)
}

describe('the tools for logs', () => {
  it('count what a turned bit costs, change nothing, and repair it', async () => {
    const stored = await smallLog(true)
    const [segment] = stored.segments as [string]
    const end = Math.max(...stored.records.map(({ to }) => to))
    let hits = 0
    for (let bit = 3; bit < end * 8; bit += 1_409) {
      const at = bit >> 3
      const hit = hitBy(stored, segment, { from: at, to: at + 1 })
      hits += hit.length
      await check(stored, withFlip(stored, segment, bit), hit, `bit ${bit}`)
    }
    assert.ok(hits > 10)
  })

  it('count what a file that was cut short costs, and repair it', async () => {
    const stored = await smallLog(true)
    const [segment] = stored.segments as [string]
    const end = Math.max(...stored.records.map(({ to }) => to))
    for (let size = 8_193; size < end; size += 397) {
      const hit = stored.records.filter(({ to }) => to > size)
      await check(stored, withTruncation(stored, segment, size), hit, `${size} bytes`)
    }
  })

  it('count what zeroed pages of a log of several segments cost, and repair it', async () => {
    const stored = await largeLog(4)
    const choice = new Choice(11)
    for (let run = 0; run < 8; run += 1) {
      const pages = Array.from({ length: choice.int(1, 4) }, () => ({
        path: stored.segments[choice.int(0, stored.segments.length - 1)] as string,
        page: choice.int(2, 15),
      }))
      const hit = stored.records.filter((record) =>
        pages.some(({ path, page }) =>
          hitBy(stored, path, { from: page * PAGE_BYTES, to: (page + 1) * PAGE_BYTES }).includes(
            record,
          ),
        ),
      )
      await check(stored, withZeroes(stored, pages), hit, `run ${run}`)
    }
  })

  it('of a killed log leave after a repair what its consumer would have got without one', async () => {
    const stored = await smallLog(false)
    const [segment] = stored.segments as [string]
    const end = Math.max(...stored.records.map(({ to }) => to))
    let cuts = 0
    for (let bit = 5; bit < end * 8; bit += 1_801) {
      const what = `bit ${bit}`
      const disk = withFlip(stored, segment, bit)
      const place = placeOf(stored, disk)
      const without = await remainsOf(stored, disk.clone())
      const before = contentOf(disk)
      const verification = await verifyLog(place)
      assert.deepEqual(contentOf(disk), before, `${what}: a file has changed`)
      assert.equal(verification.lostEvents, without.lostEvents, what)
      if (verification.doubtfulEvents > 0) cuts += 1
      const { actions } = await repairLog(place, { apply: true, consumers: ['a'] })
      for (const { failure } of actions) assert.equal(failure, undefined, what)
      assert.ok((await verifyLog(place)).isSound, what)
      const { lostEvents, reads } = await remainsOf(stored, disk)
      assert.equal(lostEvents, 0, what)
      assert.deepEqual(
        reads.map(({ batch, firstSequence }) => [firstSequence, batch.bytes.toString('latin1')]),
        without.reads.map(({ batch, firstSequence }) => [
          firstSequence,
          batch.bytes.toString('latin1'),
        ]),
        what,
      )
    }
    assert.ok(cuts > 1)
  })
})
