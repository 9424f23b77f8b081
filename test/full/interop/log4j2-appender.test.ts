import assert from 'node:assert/strict'
import { gunzipSync } from 'node:zlib'
import { javaPeer } from '../../support/interop/java-peer.js'
import { Place, STORES_AT_ONCE, type Runner } from '../../support/interop/place.js'
import type { StoredEvent } from '../../support/interop/stored-events.js'
import { until } from '../../support/until.js'

/** Events of the program; the clock of Log4j stands still in it. */
const COUNT = 53
/** The first of them, which have no context. */
const LEVELS = 6

const GUID = /[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}/g

const configuration = (agents: readonly Place[], attributes: string, layout: string) => `
<Configuration status="OFF">
  <Appenders>
    <Flume name="flume" ignoreExceptions="false" ${attributes}>
      ${agents.map((place) => `<Agent host="127.0.0.1" port="${place.port()}"/>`).join('')}
      ${layout}
    </Flume>
  </Appenders>
  <Loggers><Root level="trace"><AppenderRef ref="flume"/></Root></Loggers>
</Configuration>`

const PATTERN =
  '<PatternLayout charset="UTF-8" pattern="%d{UNIX_MILLIS} %p %c [%t] %marker %X %m%n%ex{1}"/>'
const RFC5424 =
  '<RFC5424Layout enterpriseNumber="18060" includeMDC="true" id="App" appName="shop" mdcId="mdc" newLine="true"/>'

const CASES = [
  { title: 'as it is without any settings', attributes: '', layout: '' },
  { title: 'with a pattern', attributes: 'compress="false"', layout: PATTERN },
  { title: 'with RFC 5424 and all its settings', attributes: 'compress="false"', layout: RFC5424 },
  { title: 'in batches of 10', attributes: 'compress="false" batchSize="10"', layout: PATTERN },
  {
    title: 'compressed, in batches of 100 that the end of the program sends',
    attributes: 'compress="true" batchSize="100" type="Avro"',
    layout: RFC5424,
  },
  {
    title: 'with prefixes and a choice of the context',
    attributes: 'compress="false" mdcPrefix="mdc:" eventPrefix="event:" mdcIncludes="user"',
    layout: PATTERN,
  },
  {
    title: 'with a choice of the context by what is left out',
    attributes:
      'mdcExcludes="user" agentRetries="3" connectTimeoutMillis="2000" requestTimeoutMillis="2000"',
    layout: PATTERN,
  },
  {
    title: 'in batches that are sent after some milliseconds',
    attributes: 'compress="false" batchSize="1000" maxDelayMillis="5"',
    layout: PATTERN,
  },
]

/** An event in comparable form: inflated, with its unique names counted and taken out. */
function comparable({ headers, body }: StoredEvent): { headers: object; body: string } {
  const text = (body[0] === 0x1f ? gunzipSync(body) : body).toString()
  const plain = Object.entries(headers).map(([key, value]) => [key, value.replace(GUID, 'GUID')])
  return { headers: Object.fromEntries(plain), body: text.replace(GUID, 'GUID') }
}

describe("Log4j 2's Flume appender, to Millrace as to Flume 1.11", function () {
  this.timeout(120_000)
  const runners: readonly Runner[] = ['Millrace', '1.11']
  const places = new Map<Runner, readonly [Place, Place]>()
  const stops: (() => Promise<void>)[] = []

  before(async () => {
    for (const runner of runners) {
      const pair = [await Place.make(STORES_AT_ONCE), await Place.make()] as const
      places.set(runner, pair)
      const agent = await pair[0].run(runner)
      stops.push(() => agent.stop())
    }
  })

  after(async () => {
    await Promise.all(stops.map((stop) => stop()))
  })

  async function logged(
    runner: Runner,
    xml: (places: readonly Place[]) => string,
    count = COUNT,
  ): Promise<{ stored: StoredEvent[]; failures: string[] }> {
    const pair = places.get(runner)
    assert.ok(pair)
    const before = pair[0].stored().length
    const failures = await javaPeer('1.11').logWithLog4j2(xml(pair))
    await until(() => pair[0].stored().length >= before + count, {
      timeoutMs: 20_000,
      what: () => `${count} events, stored are ${pair[0].stored().length - before}`,
    })
    return { stored: pair[0].stored().slice(before), failures }
  }

  async function storedBy(runner: Runner, xml: (places: readonly Place[]) => string) {
    const { stored, failures } = await logged(runner, xml)
    assert.deepEqual(failures, [])
    return stored
  }

  for (const { title, attributes, layout } of CASES) {
    it(`logs the same ${title}`, async () => {
      const xml = (pair: readonly Place[]) => configuration(pair.slice(0, 1), attributes, layout)
      const ours = await storedBy('Millrace', xml)
      const theirs = await storedBy('1.11', xml)
      assert.equal(ours.length, COUNT)
      assert.deepEqual(ours.map(comparable), theirs.map(comparable))
      const ids = ours.flatMap(({ headers }) => headers['guId'] ?? headers['event:guId'] ?? [])
      assert.equal(new Set(ids).size, COUNT)
      assert.ok(ours.every(({ headers }) => headers['timeStamp'] === '1700000000123'))
    })
  }

  it('refuses the same events where a key of the context is missing that must be there', async () => {
    const xml = (pair: readonly Place[]) =>
      configuration(pair.slice(0, 1), 'compress="false" mdcRequired="user"', PATTERN)
    const ours = await logged('Millrace', xml, COUNT - LEVELS)
    const theirs = await logged('1.11', xml, COUNT - LEVELS)
    assert.equal(ours.failures.length, LEVELS)
    assert.deepEqual(ours.failures, theirs.failures)
    assert.deepEqual(ours.stored.map(comparable), theirs.stored.map(comparable))
    assert.equal(ours.stored.length, COUNT - LEVELS)
  })

  it('goes on to the second agent when nobody listens at the first', async () => {
    for (const runner of runners) {
      const stored = await storedBy(runner, ([running, absent]) => {
        assert.ok(running && absent)
        return configuration([absent, running], 'batchSize="20" compress="false"', PATTERN)
      })
      assert.equal(stored.length, COUNT, runner)
    }
  })
})
