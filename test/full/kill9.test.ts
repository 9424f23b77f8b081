import assert from 'node:assert/strict'
import { Kill9Campaign } from '../support/kill9/campaign.js'

/** Another series of moments on each day; the title of a failure names it. */
const seed = Math.floor(Date.now() / 86_400_000)

describe('kill -9 again and again', function () {
  this.timeout(300_000)

  it(`an agent with two sinks loses nothing that it acknowledged in fifty kills (seed ${seed})`, async () => {
    const result = await new Kill9Campaign({ kills: 50, seed, senders: 6, sinks: 2 }).run()
    assert.equal(result.kills.length, 50)
    assert.ok(result.acknowledged > 20_000, `${result.acknowledged} acknowledged`)
    assert.deepEqual(result.lost, [])
    assert.deepEqual(result.invented, [])
    assert.ok(result.duplicates <= result.duplicateBound, `${result.duplicates} duplicates`)
    assert.deepEqual(result.complaints, [])
  })

  it(`an agent that does not sync loses nothing either, as long as the machine runs (seed ${seed})`, async () => {
    const settings = { 'channels.c1.fsyncPerTransaction': 'false' }
    const result = await new Kill9Campaign({ kills: 10, seed, settings }).run()
    assert.ok(result.acknowledged > 2_000, `${result.acknowledged} acknowledged`)
    assert.deepEqual(result.lost, [])
    assert.deepEqual(result.invented, [])
    assert.ok(result.duplicates <= result.duplicateBound, `${result.duplicates} duplicates`)
  })
})
