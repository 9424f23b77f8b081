import assert from 'node:assert/strict'
import { EventBatch } from '@millrace/event'
import { SimulatedDisk } from '@millrace/testkit'
import { Log } from '@millrace/wal'
import { logOptions } from '../../support/wal.js'

const MIB = 1024 ** 2

describe('a log on a disk that gets full', () => {
  it('leaves minimumFreeBytes free, and says so', async () => {
    const disk = new SimulatedDisk()
    disk.capacityBytes = 3 * MIB
    const log = await Log.open({ ...logOptions('/log'), disk, minimumFreeBytes: MIB })
    const batch = EventBatch.of([{ body: Buffer.alloc(20_000) }])
    let stored = 0
    await assert.rejects(
      async () => {
        for (; stored < 1_000; stored += 1) await log.append(batch)
      },
      { code: 'MILLRACE_STORAGE_NO_SPACE', retryable: true, message: /must leave 1048576/ },
    )
    assert.ok(stored > 20, `${stored} batches`)
    assert.ok(disk.freeBytesSync('/log/data') >= MIB, 'what is left')
    await log.close()
  })
})
