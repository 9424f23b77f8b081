import assert from 'node:assert/strict'
import { EventBatch } from '@millrace/event'
import { FakeClock, SimulatedDisk, until } from '@millrace/testkit'
import { Log, type LogOptions } from '@millrace/wal'

const optionsOn = (disk: SimulatedDisk, clock = new FakeClock()): LogOptions => ({
  checkpointDirectory: '/log/checkpoint',
  dataDirectories: ['/log/data'],
  consumers: ['a'],
  segmentBytes: 65_536,
  clock,
  disk,
})
const batch = (bytes: number) => EventBatch.of([{ body: Buffer.alloc(bytes) }])

describe('a log over a failing disk', () => {
  it('does not take its own checkpoint whose sync failed for that of another process', async () => {
    const disk = new SimulatedDisk()
    const clock = new FakeClock()
    const log = await Log.open(optionsOn(disk, clock))
    await log.append(batch(100))
    disk.faults.add({ kind: 'sync', path: 'cursors.wal', code: 'EIO' })
    await clock.advance(60_000)
    await until(() => !disk.faults.isWaiting, { what: 'the checkpoint' })
    for (let count = 0; count < 5; count += 1) await log.append(batch(30_000))
    assert.ok(log.stats().segments > 1)
    await log.close()
  })

  it('takes appends again when it says so, also by a timer that is early by a part of a millisecond', async () => {
    const disk = new SimulatedDisk()
    const clock = new FakeClock()
    const early: LogOptions['clock'] = {
      now: () => clock.now(),
      monotonic: () => clock.monotonic(),
      after: (ms, callback) => clock.after(ms - 0.5, callback),
    }
    const log = await Log.open({ ...optionsOn(disk), clock: early })
    disk.faults.add({ kind: 'write', code: 'ENOSPC' })
    await assert.rejects(log.append(batch(100)), { code: 'MILLRACE_STORAGE_NO_SPACE' })
    assert.ok(log.refusal)
    let refusal: unknown = 'not said'
    log.onAcceptsAgain = () => {
      refusal = log.refusal
    }
    await clock.advance(2_000)
    assert.equal(refusal, undefined)
    await log.append(batch(100))
    await log.close()
  })

  it('takes no harm from a close that fails', async () => {
    for (let nth = 1; nth <= 12; nth += 1) {
      const disk = new SimulatedDisk(nth)
      disk.faults.add({ kind: 'close', nth, code: 'EIO' })
      const log = await Log.open(optionsOn(disk))
      for (let count = 0; count < 5; count += 1) await log.append(batch(30_000))
      await log.close()
      const next = await Log.open(optionsOn(disk))
      assert.equal((await next.consumer('a').read({ maxBytes: 1e6 })).length, 5)
      await next.close()
    }
  })
})

describe('a log whose process ended after a sync that failed', () => {
  it('makes safe what it finds, though the system takes it for written', async () => {
    for (const isFirst of [true, false]) {
      for (let seed = 1; seed <= 20; seed += 1) {
        const disk = new SimulatedDisk(seed)
        const log = await Log.open(optionsOn(disk))
        if (!isFirst) for (let count = 0; count < 3; count += 1) await log.append(batch(3000))
        disk.faults.add({
          kind: 'sync',
          path: 'segment-',
          nth: isFirst ? 2 : 1,
          code: 'EIO',
          pages: 'dropped',
        })
        await assert.rejects(log.append(batch(3000)), { code: 'MILLRACE_STORAGE_IO' })
        const next = disk.kill(seed)
        const found = await Log.open(optionsOn(next))
        const before = await found.consumer('a').read({ maxBytes: 1e6 })
        assert.equal(before.length, isFirst ? 1 : 4)
        const last = await Log.open(optionsOn(next.crash(seed)))
        assert.equal((await last.consumer('a').read({ maxBytes: 1e6 })).length, before.length)
        assert.equal(last.stats().lostEvents, 0)
      }
    }
  })
})
