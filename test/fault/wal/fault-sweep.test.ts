import assert from 'node:assert/strict'
import { DISK_CALLS } from '@millrace/testkit'
import { SWEEP_CODES, sweepFaults, sweepRun } from '../../support/wal/fault-sweep.js'

/** Every how many-th fault is tried here; `npm run campaign -- fault-sweep` tries all. */
const STRIDE = 7

describe('a log over a disk of which one call fails', () => {
  it('makes calls of every kind in its fixed run', async () => {
    const { counts, failures } = await sweepRun()
    assert.equal(failures, 0)
    for (const kind of DISK_CALLS) {
      // A log without anything odd in its directories renames nothing and asks for no sizes.
      if (kind === 'rename' || kind === 'size') continue
      assert.ok((counts.get(kind) ?? 0) > 0, `no call of ${kind}`)
    }
  })

  for (const code of [...SWEEP_CODES, 'short']) {
    it(`keeps its law and works again, whichever call fails with ${code}`, async () => {
      const { counts } = await sweepRun()
      const faults = [...sweepFaults(counts)].filter((fault) => fault.code === code)
      let hits = 0
      let tried = 0
      for (let index = code.length % STRIDE; index < faults.length; index += STRIDE) {
        tried += 1
        if ((await sweepRun(faults[index])).wasHit) hits += 1
      }
      assert.ok(tried > 10 && hits === tried, `${hits} of ${tried} faults were met`)
    })
  }
})
