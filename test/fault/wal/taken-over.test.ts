import assert from 'node:assert/strict'
import { EventBatch } from '@millrace/event'
import { FakeClock, SimulatedDisk, until } from '@millrace/testkit'
import { Log, type LogOptions } from '@millrace/wal'

const SEGMENT = '/log/data/segment-0000000001.wal'
const SEGMENT_BYTES = 65_536

function optionsOn(disk: SimulatedDisk, clock: FakeClock): LogOptions {
  return {
    checkpointDirectory: '/log/checkpoint',
    dataDirectories: ['/log/data'],
    consumers: ['a'],
    segmentBytes: SEGMENT_BYTES,
    maxRepeatedEvents: 0,
    clock,
    disk,
  }
}
const batch = () => EventBatch.of([{ body: Buffer.alloc(100) }, { body: Buffer.alloc(100) }])

/** What the active segment holds. */
function contentOf(disk: SimulatedDisk): Buffer {
  const file = disk.openSync(SEGMENT, 'read')
  const bytes = Buffer.alloc(SEGMENT_BYTES)
  file.readSync(bytes, 0)
  file.closeSync()
  return bytes
}

describe('a log that another process has taken over', () => {
  it('writes nothing more once a checkpoint has noticed it, neither events nor cursors', async () => {
    const disk = new SimulatedDisk()
    const clock = new FakeClock()
    const log = await Log.open(optionsOn(disk, clock))
    await log.append(batch())
    await until(() => disk.faults.count('sync') > 4, {
      what: 'the checkpoint of the first segment',
    })
    await log.append(batch())
    await log.consumer('a').read({ maxBytes: 1000 })
    const other = await Log.open(optionsOn(disk, new FakeClock()))
    await clock.advance(60_000)
    await until(() => log.refusal !== undefined, { what: 'the checkpoint that notices it' })
    const before = contentOf(disk)
    await assert.rejects(log.append(batch()), { code: 'MILLRACE_LOG_FENCED' })
    await assert.rejects(Promise.resolve(log.consumer('a').acknowledge(1, 3)), {
      code: 'MILLRACE_LOG_FENCED',
    })
    await clock.advance(60_000)
    await log.close()
    assert.ok(contentOf(disk).equals(before))
    assert.equal(other.refusal, undefined)
    await other.append(batch())
    await other.close()
  })
})

describe('an acknowledgement that waits for the disk', () => {
  it('is rejected when the log is closed and the disk fails for good', async () => {
    const disk = new SimulatedDisk()
    const clock = new FakeClock()
    const log = await Log.open(optionsOn(disk, clock))
    await log.append(batch())
    await log.consumer('a').read({ maxBytes: 1000 })
    disk.faults.add({ kind: 'write', code: 'EIO', isLasting: true })
    const rejected = assert.rejects(Promise.resolve(log.consumer('a').acknowledge(1, 3)), {
      code: 'MILLRACE_LOG_CLOSED',
    })
    await log.close()
    await rejected
  })
})
