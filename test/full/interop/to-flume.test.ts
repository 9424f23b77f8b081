import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { close, flush } from '@millrace/log4js'
import { MillraceDestination } from '@millrace/pino'
import { MillraceTransport } from '@millrace/winston'
import log4js from 'log4js'
import pino from 'pino'
import winston from 'winston'
import { audit } from '../../support/interop/audit.js'
import { FLUME_VERSIONS, type FlumeVersion } from '../../support/interop/class-path.js'
import { javaPeer } from '../../support/interop/java-peer.js'
import { Place, type RunningAgent } from '../../support/interop/place.js'
import {
  PASSWORD,
  sourcesFor,
  type TlsFiles,
  tlsFiles,
  type Transport,
  TRANSPORTS,
  transportSettings,
} from '../../support/interop/tls.js'
import { until } from '../../support/until.js'

const COUNT = 3_000
/** Batches of the sink, with the events that it gets. */
const SHAPES = [
  { batch: 1, count: 200 },
  { batch: 1_000, count: 3_000 },
  { batch: 10_000, count: 20_000 },
] as const
const NUMBERS = Array.from({ length: COUNT }, (_, n) => n)

/** As many as Flume's default channel, which is soon full: it answers FAILED, and nothing may be lost or doubled. */
const CHANNEL_OF_100 = { capacity: '100', transactionCapacity: '100', 'keep-alive': '1' }

describe('Millrace and a source of Flume with a channel of 100 events', function () {
  this.timeout(180_000)
  const places = new Map<FlumeVersion, Place>()
  const running: RunningAgent[] = []
  let files: TlsFiles

  before(async () => {
    files = await tlsFiles()
    const sources = sourcesFor({ keystore: files.javaKeystore, 'keystore-password': PASSWORD })
    for (const version of FLUME_VERSIONS) {
      const place = await Place.make({ sources, channel: CHANNEL_OF_100, storeBatch: 100 })
      places.set(version, place)
      running.push(await place.run(version))
    }
  })

  after(async () => {
    await Promise.all(running.map((agent) => agent.stop()))
  })

  const placeOf = (version: FlumeVersion): Place => {
    const place = places.get(version)
    assert.ok(place)
    return place
  }

  /** Waits until so many more events are stored, and gives them. */
  async function storedAfter(place: Place, before: number, count: number) {
    await until(() => place.stored().length >= before + count, {
      timeoutMs: 60_000,
      what: () => `${count} events, stored are ${place.stored().length - before}`,
    })
    return place.stored().slice(before)
  }

  for (const version of FLUME_VERSIONS) {
    for (const transport of TRANSPORTS) {
      it(`an avro sink gives Flume ${version} every event once, in order, ${transport}`, async () => {
        const place = placeOf(version)
        const before = place.stored().length
        const relay = await Place.make({
          sink: {
            hostname: '127.0.0.1',
            port: String(place.port(transport)),
            'batch-size': '100',
            'tls-deflate-order': version === '1.11' ? 'v1.10' : 'v1.9',
            ...transportSettings(transport, {
              truststore: files.pemTruststore,
              'truststore-type': 'PEM',
            }),
          },
        })
        const millrace = await relay.run('Millrace')
        const name = `sink-${version}-${transport}`
        const record = await javaPeer('1.11').send({
          name,
          count: COUNT,
          batch: 100,
          properties: { ...relay.hosts() },
        })
        audit(record, await storedAfter(place, before, COUNT))
        await millrace.stop()
      })
    }
  }

  for (const version of FLUME_VERSIONS) {
    it(`an avro sink gives Flume ${version} batches of 1, 1,000 and 10,000, every event once, in order`, async () => {
      const place = await Place.make()
      const flume = await place.run(version)
      for (const { batch, count } of SHAPES) {
        const before = place.stored().length
        const relay = await Place.make({
          sink: { hostname: '127.0.0.1', port: String(place.port()), 'batch-size': String(batch) },
        })
        const millrace = await relay.run('Millrace')
        const record = await javaPeer('1.11').send({
          name: `batch-${version}-${batch}`,
          count,
          batch: Math.max(batch, 100),
          properties: { ...relay.hosts(), 'batch-size': '10000' },
        })
        audit(record, await storedAfter(place, before, count))
        await millrace.stop()
      }
      await flume.stop()
    })
  }

  /** Options of every appender for one transport. */
  const options = (version: FlumeVersion, transport: Transport) => {
    const all = transportSettings(transport, {})
    return {
      hosts: [`127.0.0.1:${placeOf(version).port(transport)}`],
      ...('compression-type' in all ? { compression: 'deflate' as const } : {}),
      ...('ssl' in all ? { tls: { ca: readFileSync(files.pemTruststore, 'utf8') } } : {}),
      tlsDeflateOrder: version === '1.11' ? ('v1.10' as const) : ('v1.9' as const),
      diagnostics: 'off' as const,
      closeTimeoutMs: 60_000,
    }
  }

  type Appender = (version: FlumeVersion, transport: Transport, name: string) => Promise<void>

  const APPENDERS: Readonly<Record<string, Appender>> = {
    winston: async (version, transport, name) => {
      const flume = new MillraceTransport(options(version, transport))
      const logger = winston.createLogger({
        format: winston.format.printf(({ message }) => String(message)),
        transports: [flume],
      })
      for (const n of NUMBERS) logger.info(`${name}-${n}`)
      await flume.close()
      assert.equal(flume.state().delivered, COUNT)
    },
    log4js: async (version, transport, name) => {
      log4js.configure({
        appenders: { flume: { type: '@millrace/log4js', ...options(version, transport) } },
        categories: { default: { appenders: ['flume'], level: 'all' } },
      })
      const logger = log4js.getLogger('db.pool')
      for (const n of NUMBERS) logger.info(`${name}-%d`, n)
      assert.equal(await flush({ timeoutMs: 60_000 }), true)
      await close()
    },
    pino: async (version, transport, name) => {
      const flume = new MillraceDestination(options(version, transport))
      const logger = pino({ base: null }, flume)
      for (const n of NUMBERS) logger.info(`${name}-${n}`)
      await flume.close()
    },
  }

  for (const [appender, log] of Object.entries(APPENDERS)) {
    for (const [version, transport] of [
      ['1.6', 'both'],
      ['1.9', 'both'],
      ['1.11', 'plain'],
      ['1.11', 'both'],
    ] as const) {
      it(`the appender of ${appender} gives Flume ${version} every event once, ${transport}`, async () => {
        const place = placeOf(version)
        const before = place.stored().length
        const name = `${appender}-${version}-${transport}`
        await log(version, transport, name)
        const stored = await storedAfter(place, before, COUNT)
        audit({ name, acknowledged: COUNT, resent: [], failures: {} }, stored)
        const level = stored.map(({ headers }) => headers['flume.client.log4j.log.level'])
        assert.deepEqual(new Set(level), new Set(['20000']))
      })
    }
  }
})
