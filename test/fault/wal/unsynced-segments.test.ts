import assert from 'node:assert/strict'
import { EventBatch } from '@millrace/event'
import { FakeClock, SimulatedDisk } from '@millrace/testkit'
import { Log, type LogOptions } from '@millrace/wal'

const SEEDS = Array.from({ length: 20 }, (_, index) => index + 1)
const BATCHES = 8

const optionsOn = (disk: SimulatedDisk): LogOptions => ({
  checkpointDirectory: '/log/checkpoint',
  dataDirectories: ['/log/data'],
  consumers: ['a'],
  segmentBytes: 65_536,
  durability: 'write',
  clock: new FakeClock(),
  disk,
})

function fill(log: Log): void {
  for (let count = 0; count < BATCHES; count += 1) {
    log.appendSync(EventBatch.of([{ body: Buffer.alloc(25_000, count) }]))
  }
  assert.ok(log.stats().segments > 2)
}

async function eventsOf(disk: SimulatedDisk): Promise<number> {
  const log = await Log.open(optionsOn(disk))
  const reads = await log.consumer('a').read({ maxBytes: 1e9 })
  assert.equal(log.stats().lostEvents, 0)
  await log.close()
  return reads.length
}

describe('a log that is written synchronously into the page cache', () => {
  it('is safe from a loss of power once it is closed, in all its segments', async () => {
    for (const seed of SEEDS) {
      const disk = new SimulatedDisk(seed)
      const log = Log.openSync(optionsOn(disk))
      fill(log)
      await log.close()
      assert.equal(await eventsOf(disk.crash(seed)), BATCHES)
    }
  })

  it('is safe after its process was killed and it was opened again', async () => {
    for (const seed of SEEDS) {
      const disk = new SimulatedDisk(seed)
      fill(Log.openSync(optionsOn(disk)))
      const next = disk.kill(seed)
      await Log.open(optionsOn(next))
      assert.equal(await eventsOf(next.crash(seed)), BATCHES)
    }
  })
})
