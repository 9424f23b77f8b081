import assert from 'node:assert/strict'
import { POWER_LOSS_SEEDS } from '../../support/wal/power-loss-seeds.js'
import { addReport, emptyReport, powerLossSchedule } from '../../support/wal/power-loss.js'

const SCHEDULES = 16
const LIVES = 16

describe('a log on a disk that loses its power', () => {
  for (const withFaults of [false, true]) {
    it(`keeps its law over ${SCHEDULES * LIVES} ends of its process${withFaults ? ', with failing calls' : ''}`, async () => {
      const sum = emptyReport()
      for (let seed = 1; seed <= SCHEDULES; seed += 1) {
        addReport(sum, await powerLossSchedule({ seed, lives: LIVES, withFaults }))
      }
      // A run that meets none of these shows nothing about them.
      const met = JSON.stringify(sum)
      assert.ok(sum.powerLosses > 50 && sum.kills > 30 && sum.closes > 5, met)
      assert.ok(sum.endsInRecovery > 20 && sum.cutTails > 2, met)
      assert.ok(sum.recycled > 5 && sum.removed > 5 && sum.segments > 50, met)
      assert.ok(sum.events > 1000 && sum.repeats > 10, met)
      assert.equal(sum.failures > 20, withFaults, met)
    })
  }

  for (const options of POWER_LOSS_SEEDS) {
    it(`keeps its law in the schedule that broke it once: ${JSON.stringify(options)}`, async () => {
      await powerLossSchedule(options)
    })
  }
})
