import assert from 'node:assert/strict'
import { existsSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Disk, lockBySocket, type LockDirectory, nodeDisk } from '@millrace/wal'
import { type Bench, bench, imbalance, numbers, record } from '../../support/fake-receiver.js'
import { guardedDisk } from '../../support/guarded-disk.js'
import { temporaryDirectory } from '../../support/temp-directory.js'

const MIB = 1_024 * 1_024
/** The file of cursors that each spool has. */
const CURSOR_BYTES = 512 * 1_024
/** The longest that the real disk may need for what a test waits for, in milliseconds. */
const DISK_MS = 10_000

function spooling(
  directory: string,
  { queue = {}, ...options }: NonNullable<Parameters<typeof bench>[0]> = {},
  spoolDisk?: { disk: Disk; lock: LockDirectory },
): Bench {
  return bench(
    {
      backoff: { minMs: 100, maxMs: 1_000 },
      queue: { policy: 'spool', directory, maxEvents: 50, ...queue },
      ...options,
    },
    spoolDisk ? { spoolDisk } : {},
  )
}

function log({ appender }: Bench, from: number, to: number, padding = ''): void {
  for (const number of numbers(from, to)) appender.append(record(number + padding))
}

/** Turns the clocks until it is so; the disk is a real one, whose calls take real time. */
async function turned(what: string, benches: readonly Bench[], isSo: () => boolean): Promise<void> {
  const end = performance.now() + DISK_MS
  while (!isSo()) {
    assert.ok(performance.now() < end, `${what} in time`)
    for (const { clock } of benches) await clock.advance(100)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

async function close(one: Bench): Promise<void> {
  let isClosed = false
  const closing = one.appender.close({ timeoutMs: 0 }).finally(() => {
    isClosed = true
  })
  await turned('closed', [one], () => isClosed)
  await closing
}

function setUp({ receivers }: Bench, isUp: boolean): void {
  for (const receiver of Object.values(receivers)) {
    if (isUp) receiver.isUp = true
    else receiver.kill()
  }
}

function storedBy({ receivers }: Bench): string[] {
  return Object.values(receivers).flatMap(({ stored }) => stored)
}

/** What a process leaves that could deliver nothing. */
async function leave(directory: string, count: number, hosts = ['a:1']): Promise<void> {
  const one = spooling(directory, { hosts })
  setUp(one, false)
  log(one, 0, count)
  await close(one)
  assert.equal(one.appender.state().spooled, count)
}

function bytesIn(directory: string): number {
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' })
  let bytes = 0
  for (const name of names) {
    const entry = statSync(join(directory, name), { throwIfNoEntry: false })
    if (entry?.isFile()) bytes += entry.size
  }
  return bytes
}

describe('the spool of an appender', () => {
  it('stays within maxDiskBytes: the oldest events give way, and what is kept stays in order', async () => {
    const directory = temporaryDirectory()
    const one = spooling(directory, { queue: { maxDiskBytes: MIB } })
    setUp(one, false)
    let most = 0
    for (let from = 0; from < 3_000; from += 100) {
      log(one, from, from + 100, ' '.repeat(1_000))
      await one.clock.advance(10)
      assert.equal(imbalance(one.appender), 0)
      most = Math.max(most, bytesIn(directory))
    }
    // Beside the limit: what is written between two looks, a file that waits for its next use, and the cursors.
    assert.ok(most <= MIB + 2 * 64 * 1_024 + CURSOR_BYTES, `${most} bytes`)
    const { dropped } = one.appender.state()
    assert.ok(dropped.overflow >= 1_900 && dropped.overflow < 2_500, `${dropped.overflow} dropped`)

    setUp(one, true)
    await turned('delivered', [one], () => storedBy(one).length === 3_000 - dropped.overflow)
    assert.deepEqual(
      storedBy(one).map((text) => text.trim()),
      numbers(dropped.overflow, 3_000),
    )
    await close(one)
    assert.equal(imbalance(one.appender), 0)
  })

  it('drops and counts what is older than maxAgeMs, in memory and on the disk', async () => {
    const directory = temporaryDirectory()
    const one = spooling(directory, { queue: { maxAgeMs: 60_000 } })
    setUp(one, false)
    log(one, 0, 200)
    await one.clock.advance(90_000)
    log(one, 200, 300)
    setUp(one, true)
    await turned('settled', [one], () => {
      const { queued, inFlight, spooled } = one.appender.state()
      return queued + inFlight + spooled === 0
    })
    assert.equal(one.appender.state().dropped.expired, 200)
    assert.deepEqual(storedBy(one), numbers(200, 300))
    assert.equal(imbalance(one.appender), 0)
    await close(one)
  })

  it('is adopted by one of two rivals, delivered once and removed', async () => {
    const directory = temporaryDirectory()
    await leave(directory, 300)
    const rivals = [spooling(directory), spooling(directory)]
    await turned('delivered', rivals, () => rivals.flatMap(storedBy).length >= 300)
    const recovered = rivals.map(({ appender }) => appender.state().recovered)
    assert.deepEqual(recovered.toSorted(), [0, 300])
    for (const rival of rivals) {
      await close(rival)
      assert.equal(imbalance(rival.appender), 0)
    }
    assert.deepEqual(rivals.flatMap(storedBy), numbers(0, 300))
    assert.deepEqual(readdirSync(directory), [])
  })

  it('is not adopted while its appender lives', async () => {
    const directory = temporaryDirectory()
    const living = spooling(directory)
    setUp(living, false)
    log(living, 0, 100)
    const other = spooling(directory)
    log(other, 100, 101)
    await turned('delivered', [other], () => storedBy(other).length > 0)
    await other.clock.advance(30_000)
    await close(other)
    assert.deepEqual(storedBy(other), ['100'])
    assert.equal(other.appender.state().recovered, 0)
    setUp(living, true)
    await turned('delivered', [living], () => storedBy(living).length >= 100)
    assert.deepEqual(storedBy(living), numbers(0, 100))
    await close(living)
  })

  it('goes to the hosts that the next process has', async () => {
    const directory = temporaryDirectory()
    await leave(directory, 120, ['old:1', 'older:1'])
    const next = spooling(directory, { hosts: ['new:1'] })
    await turned('delivered', [next], () => storedBy(next).length >= 120)
    assert.deepEqual(next.receivers['new']?.stored, numbers(0, 120))
    await close(next)
    assert.deepEqual(readdirSync(directory), [])
  })

  it('leaves the work to the memory while there is no directory, and takes it when there is one', async () => {
    const directory = join(temporaryDirectory(), 'spool')
    writeFileSync(directory, 'not a directory')
    const one = spooling(directory)
    log(one, 0, 20)
    await turned('delivered', [one], () => storedBy(one).length >= 20)
    assert.deepEqual(storedBy(one), numbers(0, 20))
    assert.equal(one.appender.state().spool?.isWritable, false)
    assert.equal(one.appender.state().spool?.unspooled, 20)
    assert.ok(one.diagnostics.some(({ kind }) => kind === 'spool'))

    setUp(one, false)
    rmSync(directory)
    await one.clock.advance(20_000)
    assert.equal(one.appender.state().spool?.isWritable, true)
    log(one, 20, 40)
    await close(one)
    assert.equal(one.appender.state().spooled, 20)
    assert.equal(imbalance(one.appender), 0)
    const next = spooling(directory)
    await turned('delivered', [next], () => storedBy(next).length >= 20)
    assert.deepEqual(storedBy(next), numbers(20, 40))
    await close(next)
  })

  it('loses nothing on a disk that is full for a while, and is used again afterwards', async () => {
    const directory = temporaryDirectory()
    let isFull = false
    const disk = fillable(() => isFull)
    const one = spooling(directory, { queue: { maxEvents: 200 } }, { disk, lock: lockBySocket })
    setUp(one, false)
    log(one, 0, 100)
    isFull = true
    log(one, 100, 150)
    assert.equal(one.appender.state().spool?.isWritable, false)
    assert.equal(one.appender.state().spool?.unspooled, 50)
    assert.equal(imbalance(one.appender), 0)
    isFull = false
    await one.clock.advance(10_000)
    log(one, 150, 250)
    assert.equal(one.appender.state().spool?.isWritable, true)
    assert.equal(one.appender.state().spool?.unspooled, 50)
    setUp(one, true)
    await turned('delivered', [one], () => storedBy(one).length >= 250)
    const stored = storedBy(one)
    assert.deepEqual(
      stored.toSorted((a, b) => Number(a) - Number(b)),
      numbers(0, 250),
    )
    // What was in memory only comes beside the rest; that keeps its order.
    assert.deepEqual(
      stored.filter((text) => Number(text) < 100 || Number(text) >= 150),
      [...numbers(0, 100), ...numbers(150, 250)],
    )
    await close(one)
    assert.equal(imbalance(one.appender), 0)
  })

  it('never drops more than the memory cannot hold while the disk is full', async () => {
    const directory = temporaryDirectory()
    let isFull = false
    const disk = fillable(() => isFull)
    const one = spooling(directory, {}, { disk, lock: lockBySocket })
    setUp(one, false)
    isFull = true
    log(one, 0, 80)
    const { queued, inFlight, dropped } = one.appender.state()
    assert.equal(queued + inFlight, 50)
    assert.equal(dropped.overflow, 30)
    setUp(one, true)
    await turned('delivered', [one], () => storedBy(one).length >= 50)
    assert.deepEqual(storedBy(one), numbers(30, 80))
    isFull = false
    await close(one)
    assert.equal(imbalance(one.appender), 0)
  })

  it('rests while no receiver answers and more waits on the disk than in memory', async () => {
    const one = spooling(temporaryDirectory(), { batch: { maxEvents: 10 } })
    setUp(one, false)
    log(one, 0, 300)
    await one.clock.advance(10)
    let timers = 0
    const after = one.clock.after.bind(one.clock)
    one.clock.after = (...wanted) => {
      timers += 1
      return after(...wanted)
    }
    for (let turn = 0; turn < 200; turn += 1) {
      await new Promise((resolve) => setImmediate(resolve))
    }
    assert.ok(timers < 10, `${timers} timers`)
    await close(one)
  })

  it('has left its name before its owner lets an empty one go, so that nobody finds half of it', async () => {
    const directory = temporaryDirectory()
    await leave(directory, 10)
    const atRelease: boolean[] = []
    const watched = (path: string, lock: ReturnType<LockDirectory['takeSync']>) => ({
      release() {
        atRelease.push(existsSync(path))
        lock.release()
      },
    })
    const lock: LockDirectory = {
      take: async (path) => watched(path, await lockBySocket.take(path)),
      takeSync: (path) => watched(path, lockBySocket.takeSync(path)),
    }
    const next = spooling(directory, {}, { disk: nodeDisk, lock })
    await turned('delivered', [next], () => storedBy(next).length >= 10)
    await close(next)
    assert.deepEqual(atRelease, [false, false])
    assert.deepEqual(readdirSync(directory), [])
  })
})

/** The real disk, on which writes fail as on a full one while `isFull` says so. */
function fillable(isFull: () => boolean): Disk {
  return guardedDisk(() => {
    if (isFull()) throw Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' })
  })
}
