import assert from 'node:assert/strict'
import { killedPair } from '../../support/interop/killed-pair.js'

const KILLS = 6

describe("Flume's load-balancing client and two Millrace agents", function () {
  this.timeout(120_000)

  it('lose no acknowledged event, while one agent after the other is killed', async () => {
    const { acknowledged } = await killedPair({ version: '1.11', kills: KILLS, everyMs: 1_000 })
    assert.ok(acknowledged > 100 * KILLS, `${acknowledged} events are enough to tell`)
  })
})
