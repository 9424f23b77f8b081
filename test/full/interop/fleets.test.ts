import { audit } from '../../support/interop/audit.js'
import { javaPeer } from '../../support/interop/java-peer.js'
import { Place, type PlaceOptions, type Runner } from '../../support/interop/place.js'
import { until } from '../../support/until.js'

const COUNT = 5_000

/** Agents in the order in which the events go through them. */
const FLEETS: readonly (readonly Runner[])[] = [
  ['Millrace', 'Millrace'],
  ['Millrace', '1.6'],
  ['Millrace', '1.9'],
  ['Millrace', '1.11'],
  ['1.6', 'Millrace'],
  ['1.9', 'Millrace'],
  ['1.11', 'Millrace'],
  ['1.9', 'Millrace', '1.11'],
  ['Millrace', 'Millrace', '1.11'],
  ['1.11', 'Millrace', 'Millrace'],
  ['Millrace', '1.9', '1.11'],
  ['1.11', '1.6', 'Millrace'],
  ['1.11', 'Millrace', '1.6'],
  ['Millrace', '1.11', 'Millrace'],
  ['1.11', 'Millrace', '1.11', 'Millrace'],
]

describe('a fleet of Millrace and Flume', function () {
  this.timeout(120_000)

  for (const [index, fleet] of FLEETS.entries()) {
    // Every other fleet is deflated between its agents.
    const compression = index % 2 === 0 ? 'none' : 'deflate'
    it(`${fleet.join(' → ')}: every event arrives once, in order, with ${compression}`, async () => {
      const deflate = { 'compression-type': compression }
      const sources = { entry: {}, hop: deflate }
      const places: Place[] = []
      let next: Place | undefined
      for (const runner of fleet.toReversed()) {
        const options: PlaceOptions = next
          ? { sources, sink: { hostname: '127.0.0.1', port: String(next.port('hop')), ...deflate } }
          : { sources }
        next = await Place.make(options)
        places.unshift(next)
        // The last one runs first.
        running.push(await next.run(runner))
      }
      const [first] = places
      const last = places.at(-1)
      const name = fleet.join('-')
      const record = await javaPeer('1.11').send({
        name,
        count: COUNT,
        batch: 100,
        properties: { ...first?.hosts('entry') },
      })
      await until(() => (last?.stored().length ?? 0) >= COUNT, {
        timeoutMs: 60_000,
        what: () => `${COUNT} events, stored are ${last?.stored().length}`,
      })
      audit(record, last?.stored() ?? [])
    })
  }

  const running: { stop(): Promise<void> }[] = []
  afterEach(async () => {
    await Promise.all(running.splice(0).map((agent) => agent.stop()))
  })
})
