import assert from 'node:assert/strict'
import { ReloadStorm } from '../support/reload/storm.js'

/** Another series of edits on each day; the title of a failure names it. */
const seed = Math.floor(Date.now() / 86_400_000)

describe('a configuration that is edited all the time', function () {
  this.timeout(120_000)

  it(`loses no acknowledged event and no connection of an unchanged source in 500 edits under load (seed ${seed})`, async () => {
    const storm = await new ReloadStorm({ edits: 500, seed }).run()
    assert.equal(storm.restartsOfUnchanged, 0)
    assert.deepEqual(storm.failuresOfUnchanged, [])
    storm.audit()
    assert.ok(storm.reloads > 350 && storm.refused > 10, JSON.stringify(storm))
    assert.ok(storm.reroutes > 20, `${storm.reroutes} reroutes`)
    assert.ok(storm.acknowledged > 1_000, `${storm.acknowledged} acknowledged`)
  })
})
