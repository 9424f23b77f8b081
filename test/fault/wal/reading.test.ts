import assert from 'node:assert/strict'
import { EventBatch } from '@millrace/event'
import { FakeClock, SimulatedDisk } from '@millrace/testkit'
import { Log, type LogOptions } from '@millrace/wal'

const optionsOn = (disk: SimulatedDisk): LogOptions => ({
  checkpointDirectory: '/log/checkpoint',
  dataDirectories: ['/log/data'],
  consumers: ['a'],
  segmentBytes: 65_536,
  recentBytes: 0,
  clock: new FakeClock(),
  disk,
})
const batch = (text: string, bytes = 0) =>
  EventBatch.of([{ body: Buffer.concat([Buffer.from(text), Buffer.alloc(bytes)]) }])

async function textsOf(log: Log): Promise<string[]> {
  const reads = await log.consumer('a').read({ maxBytes: 1_000_000 })
  return reads.map((read) => read.batch.bodyAt(0).toString('latin1', 0, 1))
}

describe('a consumer of a log', () => {
  it('is handed what was read before a call failed, and the rest by the next read', async () => {
    const disk = new SimulatedDisk()
    const log = await Log.open(optionsOn(disk))
    // The third is in the next segment.
    for (const [text, bytes] of [
      ['1', 30_000],
      ['2', 20_000],
      ['3', 30_000],
    ] as const) {
      await log.append(batch(text, bytes))
    }
    assert.equal(log.stats().segments, 2)
    disk.faults.add({ kind: 'open', nth: 2, code: 'EMFILE' })
    assert.deepEqual(await textsOf(log), ['1', '2'])
    assert.deepEqual(await textsOf(log), ['3'])
    await log.close()
  })

  it('finishes a read that is under way when the log is closed, and reads no more', async () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const log = await Log.open(optionsOn(new SimulatedDisk(seed)))
      for (const text of ['1', '2', '3']) await log.append(batch(text))
      const reading = textsOf(log)
      await log.close()
      assert.deepEqual(await reading, ['1', '2', '3'])
      await assert.rejects(textsOf(log), { code: 'MILLRACE_LOG_CLOSED' })
    }
  })
})

describe('opening a log', () => {
  it('makes safe what an opening left that was killed at any call', async () => {
    for (let call = 1; call < 100; call += 1) {
      const disk = new SimulatedDisk(call)
      disk.dieAt(call)
      const first = Log.open(optionsOn(disk)).then((log) => log.append(batch('0')))
      await Promise.race([first, disk.died])
      const next = disk.kill(call)
      const log = await Log.open(optionsOn(next))
      await log.append(batch('x'))
      const last = await Log.open(optionsOn(next.crash(call)))
      assert.equal((await textsOf(last)).at(-1), 'x', `killed at call ${call}`)
      await last.close()
    }
  })
})

describe('opening a log whose pages can not be read', () => {
  async function openWithUnreadable(reads: number): Promise<Log> {
    const disk = new SimulatedDisk()
    const first = await Log.open(optionsOn(disk))
    await first.append(batch('x', 100))
    const next = disk.kill(1)
    for (let nth = 2; nth < 2 + reads; nth += 1) {
      next.faults.add({ kind: 'read', path: 'segment-0000000001', nth, code: 'EIO' })
    }
    return await Log.open(optionsOn(next))
  }

  it('tries again before it takes them for damaged', async () => {
    const log = await openWithUnreadable(4)
    assert.deepEqual(log.recovery.findings, [])
    assert.deepEqual(await textsOf(log), ['x'])
    await log.close()
  })

  it('opens without what they held, and says so', async () => {
    const log = await openWithUnreadable(1000)
    assert.deepEqual(
      log.recovery.findings.map(({ kind }) => kind),
      ['cut-tail'],
    )
    assert.deepEqual(await textsOf(log), [])
    await log.append(batch('y'))
    assert.deepEqual(await textsOf(log), ['y'])
    await log.close()
  })
})
