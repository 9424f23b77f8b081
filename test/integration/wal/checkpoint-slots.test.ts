import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { decodeCheckpoint, SLOT_BYTES, SLOTS } from '@millrace/wal/internal/format/checkpoint'
import { temporaryDirectory } from '../../support/temp-directory.js'
import { drain, fill, openLog, range } from '../../support/wal.js'

describe('the two slots of a checkpoint', () => {
  it('hold the last two checkpoints, so that either may be torn', async () => {
    for (const torn of [0, 1]) {
      const directory = temporaryDirectory()
      const log = await openLog(directory)
      await fill(log, 0, 1_000)
      await log.consumer('sinks').acknowledge(1, 601)
      await log.close()
      const path = join(directory, 'checkpoint', 'cursors.wal')
      const bytes = readFileSync(path)
      const generations = Array.from({ length: SLOTS }, (_, slot) => {
        const part = bytes.subarray(slot * SLOT_BYTES, (slot + 1) * SLOT_BYTES)
        return decodeCheckpoint(part, path)?.generation ?? Number.NaN
      })
      assert.equal(Math.max(...generations) - Math.min(...generations), 1, generations.join())
      bytes.fill(0, torn * SLOT_BYTES + 60, torn * SLOT_BYTES + 120)
      writeFileSync(path, bytes)
      const again = await openLog(directory)
      assert.deepEqual(again.recovery.findings, [])
      assert.deepEqual(await drain(again.consumer('sinks')), range(600, 1_000))
      await again.close()
    }
  })
})
