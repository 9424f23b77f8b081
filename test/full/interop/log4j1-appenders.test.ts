import assert from 'node:assert/strict'
import { javaPeer } from '../../support/interop/java-peer.js'
import { Place, STORES_AT_ONCE, type Runner, type Settings } from '../../support/interop/place.js'
import type { StoredEvent } from '../../support/interop/stored-events.js'
import { until } from '../../support/until.js'

const LAYOUT = {
  'log4j.appender.flume.layout': 'org.apache.log4j.PatternLayout',
  'log4j.appender.flume.layout.ConversionPattern': '%p %c{1} [%m]%n',
}

const single = (place: Place, settings: Settings = {}): Settings => ({
  'log4j.rootLogger': 'TRACE, flume',
  'log4j.appender.flume': 'org.apache.flume.clients.log4jappender.Log4jAppender',
  'log4j.appender.flume.Hostname': '127.0.0.1',
  'log4j.appender.flume.Port': String(place.port()),
  ...settings,
})

const balancing = (places: readonly Place[], settings: Settings = {}): Settings => ({
  'log4j.rootLogger': 'TRACE, flume',
  'log4j.appender.flume': 'org.apache.flume.clients.log4jappender.LoadBalancingLog4jAppender',
  'log4j.appender.flume.Hosts': places.map((place) => `127.0.0.1:${place.port()}`).join(' '),
  ...settings,
})

const SMALL = {
  storeBatch: 1,
  channel: { capacity: '1', transactionCapacity: '1', 'keep-alive': '3' },
} as const

/** The class of what a log call threw. */
const nameOf = (failure: string) => /^\w+/.exec(failure)?.[0] ?? failure

type Messages = 'text' | 'many' | 'records' | 'reflection'

describe("Flume's appenders for Log4j 1, to Millrace as to Flume 1.11", function () {
  this.timeout(120_000)
  const runners: readonly Runner[] = ['Millrace', '1.11']
  /** Two agents of each runner. */
  const places = new Map<Runner, Place[]>()
  const stops: (() => Promise<void>)[] = []

  before(async () => {
    for (const runner of runners) {
      const pair = [await Place.make(STORES_AT_ONCE), await Place.make(STORES_AT_ONCE)]
      places.set(runner, pair)
      for (const place of pair) {
        const agent = await place.run(runner)
        stops.push(() => agent.stop())
      }
    }
  })

  after(async () => {
    await Promise.all(stops.map((stop) => stop()))
  })

  /** Runs the same program against each; gives what each of the two agents stored. */
  async function storedBy(
    runner: Runner,
    messages: Messages,
    count: number,
    properties: (places: readonly [Place, Place]) => Settings,
  ): Promise<{ stored: StoredEvent[][]; failures: string[] }> {
    const [first, second] = places.get(runner) ?? []
    assert.ok(first && second)
    const pair = [first, second] as const
    const before = pair.map((place) => place.stored().length)
    const failures = await javaPeer('1.11').logWithLog4j1(properties(pair), messages)
    const stored = () => pair.map((place, i) => place.stored().slice(before[i]))
    await until(() => stored().flat().length >= count, {
      timeoutMs: 20_000,
      what: () => `${count} events, stored are ${stored().flat().length}`,
    })
    return { stored: stored(), failures: failures.map(nameOf) }
  }

  /** What both store is the same, octet by octet; gives it. */
  async function same(
    messages: Messages,
    count: number,
    properties: (places: readonly [Place, Place]) => Settings,
  ): Promise<StoredEvent[][]> {
    const [ours, theirs] = [
      await storedBy('Millrace', messages, count, properties),
      await storedBy('1.11', messages, count, properties),
    ]
    assert.deepEqual(ours.stored, theirs.stored)
    assert.deepEqual(ours.failures, theirs.failures)
    assert.equal(ours.stored.flat().length, count)
    return ours.stored
  }

  const TEXTS = 266

  it('text with a layout, every level, lists and all of Unicode is the same', async () => {
    const [stored = []] = await same('text', TEXTS, ([place]) => single(place, LAYOUT))
    assert.equal(stored[0]?.body.toString(), 'TRACE pool [at TRACE]\n')
    assert.deepEqual(
      { ...stored[0]?.headers, 'flume.client.log4j.address': '' },
      {
        'flume.client.log4j.address': '',
        'flume.client.log4j.log.level': '5000',
        'flume.client.log4j.logger.name': 'db.pool',
        'flume.client.log4j.message.encoding': 'UTF8',
        'flume.client.log4j.timestamp': '1700000000000',
      },
    )
  })

  it('text without a layout is the same, with UnsafeMode too', async () => {
    await same('text', TEXTS, ([place]) => single(place))
    await same('text', TEXTS, ([place]) =>
      single(place, { 'log4j.appender.flume.UnsafeMode': 'true' }),
    )
  })

  it('records of Avro are the same, with their schema and with its address', async () => {
    const [stored = []] = await same('records', 7, ([place]) => single(place))
    assert.match(stored[0]?.headers['flume.avro.schema.literal'] ?? '', /"name":"Reading"/)
    const url = 'http://127.0.0.1/schema.avsc'
    const [addressed = []] = await same('records', 7, ([place]) =>
      single(place, { 'log4j.appender.flume.AvroSchemaUrl': url }),
    )
    assert.equal(addressed[0]?.headers['flume.avro.schema.url'], url)
  })

  it('objects written by reflection are the same', async () => {
    const reflection = { 'log4j.appender.flume.AvroReflectionEnabled': 'true' }
    const [stored = []] = await same('reflection', 4, ([place]) => single(place, reflection))
    assert.match(stored[0]?.headers['flume.avro.schema.literal'] ?? '', /"Measurement"/)
    assert.equal(stored[1]?.body.toString(), '\x1ca plain string')
  })

  it('the load-balancing appender gives both agents what it gives those of Flume', async () => {
    const stored = await same('many', 300, (pair) => balancing(pair, LAYOUT))
    assert.deepEqual(
      stored.map((events) => events.length),
      [150, 150],
    )
    await same('reflection', 4, (pair) =>
      balancing(pair, {
        'log4j.appender.flume.AvroReflectionEnabled': 'true',
        'log4j.appender.flume.UnsafeMode': 'true',
        'log4j.appender.flume.MaxBackoff': '1000',
      }),
    )
  })

  it('the load-balancing appender with a random order loses and doubles nothing', async () => {
    const random = { ...LAYOUT, 'log4j.appender.flume.Selector': 'RANDOM' }
    for (const runner of runners) {
      const { stored, failures } = await storedBy(runner, 'many', 300, (pair) =>
        balancing(pair, random),
      )
      assert.deepEqual(failures, [])
      assert.ok(stored.every((events) => events.length > 0))
      const numbers = stored.flat().map(({ body }) => Number(/\d+/.exec(body.toString())?.[0]))
      assert.deepEqual(
        numbers.toSorted((a, b) => a - b),
        Array.from({ length: 300 }, (_, n) => n),
      )
    }
  })

  it('a refused event is an exception to the program, or none with UnsafeMode', async () => {
    for (const runner of runners) {
      const place = await Place.make(SMALL)
      const agent = await place.run(runner)
      const log = (settings: Settings) =>
        javaPeer('1.11').logWithLog4j1(single(place, settings), 'records')
      // The lists of two do not fit: each is refused, and the next call connects again.
      const failures = await log({})
      assert.deepEqual(failures.map(nameOf), ['FlumeException', 'FlumeException'], runner)
      assert.deepEqual(await log({ 'log4j.appender.flume.UnsafeMode': 'true' }), [], runner)
      await agent.stop()
    }
  })
})
