import assert from 'node:assert/strict'
import { fuzzClients } from '../support/fuzz/client-fuzz.js'
import { fuzzServer } from '../support/fuzz/server-fuzz.js'

/** Other conversations on each day; the title of a failure names the seed to begin with. */
const seed = Math.floor(Date.now() / 86_400_000) * 1_000_000

describe('hostile peers, drawn from a seed', function () {
  this.timeout(300_000)

  it(`an agent stands hostile clients for a minute, and its good client does not notice (seed ${seed})`, async () => {
    const report = await fuzzServer({ seconds: 60, seed })
    assert.ok(report.cases > 1_000, JSON.stringify(report))
    assert.ok(report.oks > 1_000, JSON.stringify(report))
    assert.ok(report.goodEvents > 10_000, JSON.stringify(report))
  })

  it(`clients stand hostile servers for half a minute (seed ${seed})`, async () => {
    const report = await fuzzClients({ seconds: 30, seed })
    assert.ok(report.cases > 300, JSON.stringify(report))
    assert.ok(report.resolved > 100, JSON.stringify(report))
  })
})
