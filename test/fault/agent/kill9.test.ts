import assert from 'node:assert/strict'
import { Kill9Campaign } from '../../support/kill9/campaign.js'

/** The long form is in test/full, and `npm run campaign -- kill9 --kills 50 --seed 1`. */
describe('an agent with a file channel under kill -9', function () {
  this.timeout(60_000)

  it('loses nothing that it acknowledged, keeps the order, and repeats no more than stated', async () => {
    const result = await new Kill9Campaign({ kills: 6, seed: 20_261_124 }).run()
    assert.equal(result.kills.length, 6)
    assert.ok(result.acknowledged > 1_000, `${result.acknowledged} acknowledged`)
    assert.deepEqual(result.lost, [])
    assert.deepEqual(result.invented, [])
    assert.equal(result.outOfOrder, 0)
    assert.ok(result.duplicates <= result.duplicateBound, `${result.duplicates} duplicates`)
    assert.deepEqual(result.complaints, [])
  })
})
