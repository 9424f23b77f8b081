import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DiskFile } from '@millrace/wal'
import { nodeDisk } from '@millrace/wal/internal/disk/node-disk'
import { readFully, runAsync, runSync, writeFully } from '@millrace/wal/internal/disk/steps'
import { temporaryDirectory } from '../../support/temp-directory.js'

describe('the real disk', () => {
  it('never makes a file in the place of another', async () => {
    const path = join(temporaryDirectory(), 'there')
    writeFileSync(path, 'kept')
    await assert.rejects(nodeDisk.open(path, 'create'), { code: 'EEXIST' })
    assert.throws(() => nodeDisk.openSync(path, 'create'), { code: 'EEXIST' })
    assert.equal(readFileSync(path, 'utf8'), 'kept')
  })

  it('asks the system to sync, and passes its failure on', async function () {
    if (process.platform !== 'linux') return
    // The one file that every process has and that Linux refuses to sync.
    const file = await nodeDisk.open('/dev/null', 'write')
    await assert.rejects(file.sync(), { code: 'EINVAL' })
    assert.throws(() => file.syncSync(), { code: 'EINVAL' })
    await file.close()
  })
})

/** A file in memory that takes and gives at most three bytes at a time. */
function shortFile(content: Buffer): DiskFile {
  const readSync = (target: Uint8Array, position: number) => {
    const part = content.subarray(position, position + Math.min(3, target.length))
    target.set(part)
    return part.length
  }
  const writeSync = (buffers: readonly Uint8Array[], position: number) =>
    Buffer.concat(buffers).subarray(0, 3).copy(content, position)
  const done = () => undefined
  return {
    path: '/short',
    readSync,
    read: async (target, position) => readSync(target, position),
    writeSync,
    write: async (buffers, position) => writeSync(buffers, position),
    sync: async () => undefined,
    syncSync: done,
    size: async () => content.length,
    sizeSync: () => content.length,
    close: async () => undefined,
    closeSync: done,
  }
}

describe('reading and writing fully', () => {
  it('goes on after short reads, up to the end of the file', async () => {
    const content = Buffer.from('0123456789')
    for (const run of [runSync, runAsync]) {
      const target = Buffer.alloc(8)
      assert.equal(await run(readFully(shortFile(content), target, 1)), 8)
      assert.equal(target.toString(), '12345678')
      assert.equal(await run(readFully(shortFile(content), target, 6)), 4)
    }
  })

  it('goes on after short writes, over the edges of buffers', async () => {
    for (const run of [runSync, runAsync]) {
      const content = Buffer.alloc(12, '.')
      const parts = ['ab', '', 'cdefg', 'h'].map((text) => Buffer.from(text))
      await run(writeFully(shortFile(content), parts, 2))
      assert.equal(content.toString(), '..abcdefgh..')
    }
  })
})
