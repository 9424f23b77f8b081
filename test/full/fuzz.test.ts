import assert from 'node:assert/strict'
import { crowdedAgent } from '../support/fuzz/crowded-agent.js'
import { fuzzClients } from '../support/fuzz/client-fuzz.js'
import { fuzzServer } from '../support/fuzz/server-fuzz.js'

/** The same conversations in every run: others are drawn by command, `npm run campaign -- fuzz-server --seed S`. */
const seed = 20_261_124
/** A hung server is told from a busy machine. How much slower the good client is, the campaign measures. */
const LONGEST_P99_MS = 1_000

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

  it(`10,000 idle connections and hostile clients cost at most 200 MB, and a good client goes on (seed ${seed})`, async () => {
    const report = await crowdedAgent({
      connections: 10_000,
      seconds: 10,
      seed,
      casesPerSecond: 50,
    })
    assert.ok(report.peakBytes <= 200_000_000, JSON.stringify(report))
    assert.ok(report.p99Ms.attacked <= LONGEST_P99_MS, JSON.stringify(report))
  })
})
