/** Every damage of a kind, or each n-th: short in a test, all of it by command. */
import assert from 'node:assert/strict'
import { HEADER_BLOCK_BYTES } from '@millrace/wal/internal/format/segment-header'
import { Choice } from './choice.js'
import {
  CHECKPOINT_FILE,
  checkRemains,
  hitBy,
  IDENTITY_FILE,
  largeLog,
  PAGE_BYTES,
  remainsOf,
  type StoredLog,
  type StoredRecord,
  smallLog,
  withFlip,
  withTruncation,
  withZeroes,
} from './damage.js'

/** Calls `broken` with each failure, or throws it. */
export type OnBroken = (error: unknown) => void

const throwing: OnBroken = (error) => {
  throw error
}

/** Positions behind the last record that are looked at too. */
const BEYOND_BYTES = 200
const HEADER_BITS = 64 * 8

function endOf(stored: StoredLog, path: string): number {
  return Math.max(
    HEADER_BLOCK_BYTES,
    ...stored.records.filter((each) => each.path === path).map(({ to }) => to),
  )
}

async function attempt(work: () => Promise<void>, onBroken: OnBroken): Promise<void> {
  try {
    await work()
  } catch (error) {
    onBroken(error)
  }
}

/** Turns each bit (each `stride`-th) of every file of a small closed log. */
export async function flipClosedLog(stride: number, onBroken = throwing): Promise<number> {
  const stored = await smallLog(true)
  const [segment] = stored.segments as [string]
  let runs = 0
  for (const [path, end] of [
    [segment, endOf(stored, segment) + BEYOND_BYTES],
    [IDENTITY_FILE, 64],
    [CHECKPOINT_FILE, 400],
  ] as const) {
    for (let bit = runs % stride; bit < end * 8; bit += stride) {
      runs += 1
      await attempt(async () => {
        const at = bit >> 3
        const hit = hitBy(stored, path, { from: at, to: at + 1 })
        const remains = await remainsOf(stored, withFlip(stored, path, bit), runs % 2 === 0)
        checkRemains(stored, hit, remains, `bit ${bit} of ${path}`)
      }, onBroken)
    }
  }
  return runs
}

/** Turns a bit in the header of each of two records of a small closed log, `rounds` times for each pair. */
export async function flipPairs(rounds: number, onBroken = throwing): Promise<number> {
  const stored = await smallLog(true)
  const choice = new Choice(rounds)
  let runs = 0
  for (const [index, first] of stored.records.entries()) {
    for (const second of stored.records.slice(index + 1)) {
      for (let round = 0; round < rounds; round += 1) {
        runs += 1
        const bits = [first, second].map(({ from }) => from * 8 + choice.int(0, HEADER_BITS - 1))
        await attempt(async () => {
          const disk = withFlip(stored, first.path, ...bits)
          const remains = await remainsOf(stored, disk, runs % 2 === 0)
          checkRemains(stored, [first, second], remains, `bits ${bits.join()}`)
        }, onBroken)
      }
    }
  }
  return runs
}

/** Cuts every file of a small closed log to each length (each `stride`-th). */
export async function truncateClosedLog(stride: number, onBroken = throwing): Promise<number> {
  const stored = await smallLog(true)
  const [segment] = stored.segments as [string]
  let runs = 0
  for (const [path, most] of [
    [segment, endOf(stored, segment) + BEYOND_BYTES],
    [IDENTITY_FILE, 63],
    [CHECKPOINT_FILE, 400],
  ] as const) {
    const bytes = stored.disk.bytes(path).length
    for (let size = 0; size < Math.min(most, bytes); size += size === 0 ? 1 : stride) {
      runs += 1
      await attempt(async () => {
        const isHit = (record: StoredRecord) => record.path === path && record.to > size
        // Without its header a segment can't be told from another file.
        const lost = stored.records.filter((record) => isHit(record))
        const remains = await remainsOf(stored, withTruncation(stored, path, size), size % 2 === 0)
        checkRemains(stored, lost, remains, `${path} cut to ${size} bytes`)
      }, onBroken)
    }
  }
  return runs
}

/** Turns each bit (each `stride`-th) of the records of a small log whose process was killed. */
export async function flipKilledLog(stride: number, onBroken = throwing): Promise<number> {
  const stored = await smallLog(false)
  const [segment] = stored.segments as [string]
  // The last group is above the frontier: no record says that it was safe.
  const lastGroup = stored.records.slice(-3)
  let runs = 0
  for (let bit = HEADER_BLOCK_BYTES * 8; bit < endOf(stored, segment) * 8; bit += stride) {
    runs += 1
    await attempt(async () => {
      const at = bit >> 3
      const hit = hitBy(stored, segment, { from: at, to: at + 1 })
      const remains = await remainsOf(stored, withFlip(stored, segment, bit), runs % 2 === 0)
      const first = lastGroup.findIndex((record) => hit.includes(record))
      if (first < 0) checkRemains(stored, hit, remains, `bit ${bit}`)
      else checkCut(stored, lastGroup.slice(first), remains, `bit ${bit}`)
    }, onBroken)
  }
  return runs
}

/** What was cut is gone, not lost: the report says how many it can have been, and a copy is kept. */
function checkCut(
  stored: StoredLog,
  cut: readonly StoredRecord[],
  remains: Awaited<ReturnType<typeof remainsOf>>,
  what: string,
): void {
  const left = { ...stored, records: stored.records.filter((record) => !cut.includes(record)) }
  checkRemains(left, [], remains, what)
  const tail = remains.log.recovery.findings.find(({ kind }) => kind === 'cut-tail')
  const events = cut.reduce((sum, record) => sum + record.events, 0)
  assert.ok(tail, `${what}: nothing is reported as cut`)
  const most = tail.atMostEvents ?? 0
  assert.ok(most >= events, `${what}: at most ${most}, not ${events}`)
  const copies = remains.disk.files().filter((path) => path.includes('/quarantine/'))
  assert.equal(copies.length, 1, `${what}: no copy is kept`)
  const [{ path, from }] = cut as [StoredRecord]
  const { to } = cut.at(-1) as StoredRecord
  const wanted = remains.found.bytes(path).subarray(from, to)
  assert.ok(remains.disk.bytes(copies[0] as string).includes(wanted), `${what}: another copy`)
}

/** Zeroes random pages of a log of several segments. */
export async function zeroPages(
  { runs, segments, seed }: { runs: number; segments: number; seed: number },
  onBroken = throwing,
): Promise<number> {
  const stored = await largeLog(segments)
  for (let run = 0; run < runs; run += 1) {
    const choice = new Choice(seed + run)
    const pages = Array.from({ length: choice.int(1, 4) }, () => {
      const path = choice.of(stored.segments)
      return {
        path,
        page: choice.chance(0.2)
          ? choice.int(0, 1)
          : choice.int(0, Math.floor(endOf(stored, path) / PAGE_BYTES)),
      }
    })
    const isZeroed = (path: string, page: number) =>
      pages.some((each) => each.path === path && each.page === page)
    // Each of two pages holds the header of the segment; without both none of its records can be told.
    const isHeadless = (path: string) => isZeroed(path, 0) && isZeroed(path, 1)
    const hit = stored.records.filter(({ path, from, to }) => {
      const last = Math.floor((to - 1) / PAGE_BYTES)
      let isHit = isHeadless(path)
      for (let page = Math.floor(from / PAGE_BYTES); page <= last; page += 1) {
        isHit ||= isZeroed(path, page)
      }
      return isHit
    })
    await attempt(async () => {
      const remains = await remainsOf(stored, withZeroes(stored, pages), run % 2 === 0)
      checkRemains(stored, hit, remains, `seed ${seed + run}, zeroed ${JSON.stringify(pages)}`)
    }, onBroken)
  }
  return runs
}
