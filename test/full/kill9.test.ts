import assert from 'node:assert/strict'
import { Kill9Campaign } from '../support/kill9/campaign.js'

/** Another series of moments on each day; the title of a failure names it. */
const seed = Math.floor(Date.now() / 86_400_000)

describe('fifty times kill -9', function () {
  this.timeout(300_000)

  it(`an agent with two sinks loses nothing that it acknowledged (seed ${seed})`, async () => {
    const result = await new Kill9Campaign({ kills: 50, seed, senders: 6, sinks: 2 }).run()
    assert.equal(result.kills.length, 50)
    assert.ok(result.acknowledged > 20_000, `${result.acknowledged} acknowledged`)
    assert.deepEqual(result.lost, [])
    assert.deepEqual(result.invented, [])
    assert.ok(result.duplicates <= result.duplicateBound, `${result.duplicates} duplicates`)
    assert.deepEqual(result.complaints, [])
  })
})
