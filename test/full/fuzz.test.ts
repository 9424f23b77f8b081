import assert from 'node:assert/strict'
import { crowdedAgent } from '../support/fuzz/crowded-agent.js'
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

  it(`10,000 idle connections and hostile clients cost at most 200 MB, and a good client's p99 at most three times its own (seed ${seed})`, async () => {
    const report = await crowdedAgent({
      connections: 10_000,
      seconds: 10,
      seed,
      casesPerSecond: 50,
    })
    const { alone, attacked } = report.p99Ms
    assert.ok(report.peakBytes <= 200_000_000, JSON.stringify(report))
    assert.ok(attacked <= 3 * alone, JSON.stringify(report))
  })
})
