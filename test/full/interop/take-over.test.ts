import assert from 'node:assert/strict'
import { MillraceTransport } from '@millrace/winston'
import winston from 'winston'
import { audit, numbersOf } from '../../support/interop/audit.js'
import type { FlumeVersion } from '../../support/interop/class-path.js'
import { javaPeer, type SendRecord } from '../../support/interop/java-peer.js'
import { Place, type Runner } from '../../support/interop/place.js'
import { until } from '../../support/until.js'

/** Who holds the port, one after the other; each but the last is killed without a word. */
const HOLDERS: readonly Runner[] = ['Millrace', '1.11', 'Millrace', '1.11', 'Millrace']

/** What the clients must bring in before the next one takes over. */
const EVENTS_OF_EACH = 500

/** Of the sink of files. What it had stored and not committed when it was killed is stored once more, and nothing else. */
const STORE_BATCH = 100

/** A Java client that sends what failed again. */
class JavaClient {
  readonly #version: FlumeVersion
  readonly #name: string
  readonly #record: Promise<SendRecord>

  constructor(version: FlumeVersion, place: Place, batch: number) {
    this.#version = version
    this.#name = `java-${version}-${batch}`
    this.#record = javaPeer(version).send({
      name: this.#name,
      count: 0,
      batch,
      retry: true,
      properties: { ...place.hosts(), 'connect-timeout': '2000', 'request-timeout': '2000' },
    })
  }

  async end(): Promise<SendRecord> {
    await javaPeer(this.#version).endSending(this.#name)
    return this.#record
  }
}

describe('a port that Millrace and Flume hold in turn', function () {
  this.timeout(240_000)

  it('loses no event of clients that go on, when each holder is killed', async () => {
    const place = await Place.make({ durable: true, storeBatch: STORE_BATCH })
    let holder = await place.runProcess('Millrace')
    const clients = [
      new JavaClient('1.11', place, 50),
      new JavaClient('1.11', place, 0),
      new JavaClient('1.9', place, 50),
      new JavaClient('1.6', place, 50),
    ]
    const relay = await Place.make({
      sink: { hostname: '127.0.0.1', port: String(place.port()), 'batch-size': '50' },
    })
    const relaying = await relay.run('Millrace')
    clients.push(new JavaClient('1.11', relay, 10))
    const transport = new MillraceTransport({
      hosts: [`127.0.0.1:${place.port()}`],
      diagnostics: 'off',
      requestTimeoutMs: 2_000,
      backoff: { minMs: 100, maxMs: 1_000 },
      queue: { maxEvents: 1_000_000 },
    })
    const logger = winston.createLogger({
      format: winston.format.printf(({ message }) => String(message)),
      transports: [transport],
    })
    let logged = 0
    const logging = setInterval(() => {
      logger.info(`winston-${logged}`)
      logged += 1
    }, 2)

    let before = 0
    const storesMore = async () => {
      const wanted = before + EVENTS_OF_EACH
      await until(() => place.stored().length >= wanted, {
        timeoutMs: 60_000,
        what: () => `${wanted} events, stored are ${place.stored().length}`,
      })
    }
    for (const next of HOLDERS.slice(1)) {
      await storesMore()
      await holder.kill()
      before = place.stored().length
      holder = await place.runProcess(next)
    }
    await storesMore()
    clearInterval(logging)
    // The relay's memory channel is emptied at its stop.
    const records: SendRecord[] = []
    for (const client of clients) records.push(await client.end())
    await relaying.stop()
    assert.equal(await transport.flush({ timeoutMs: 30_000 }), true)
    await transport.close()
    records.push({ name: 'winston', acknowledged: logged, resent: [], failures: {} })

    // What a killed holder had acknowledged and not stored is in its file channel. The last Flume that was
    // killed gets its channel back beside Millrace, which keeps the port.
    const flume = await place.runProcess('1.11')
    const missing = () => {
      const stored = place.stored()
      return records.map(
        ({ name, acknowledged }) => acknowledged - new Set(numbersOf(name, stored)).size,
      )
    }
    await until(() => missing().every((count) => count <= 0), {
      timeoutMs: 60_000,
      what: () => `every event is stored; missing are ${missing().join(', ')}`,
    })
    await holder.stop()
    await flume.kill()
    const kills = HOLDERS.length - 1
    for (const record of records) {
      audit(record, place.stored(), { doubles: kills * STORE_BATCH, ordered: false })
      assert.ok(record.acknowledged >= HOLDERS.length, `${record.name} went on`)
    }
  })
})
