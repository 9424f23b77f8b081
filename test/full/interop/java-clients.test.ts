import assert from 'node:assert/strict'
import { audit, sentHeaders } from '../../support/interop/audit.js'
import { FLUME_VERSIONS, type FlumeVersion } from '../../support/interop/class-path.js'
import { javaPeer } from '../../support/interop/java-peer.js'
import { Place, type RunningAgent, type Settings } from '../../support/interop/place.js'
import {
  PASSWORD,
  sourcesFor,
  tlsFiles,
  TRANSPORTS,
  transportSettings,
} from '../../support/interop/tls.js'
import { until } from '../../support/until.js'

const CLIENTS = {
  default: {},
  failover: { 'client.type': 'default_failover' },
  'load-balancing': { 'client.type': 'default_loadbalance' },
} as const

/** How many events of which call: 0 is `append`. */
const SHAPES = [
  { batch: 0, count: 100 },
  { batch: 1, count: 100 },
  { batch: 100, count: 1_000 },
  { batch: 1_000, count: 3_000 },
  { batch: 10_000, count: 20_000 },
] as const

describe("Java's RPC clients and a Millrace source", function () {
  this.timeout(120_000)
  const places: Place[] = []
  const running: RunningAgent[] = []
  let tls: Settings = {}

  before(async () => {
    const files = await tlsFiles()
    tls = { truststore: files.javaTruststore, 'truststore-password': PASSWORD }
    const sources = sourcesFor({ keystore: files.pemKeystore, 'keystore-type': 'PEM' })
    for (let i = 0; i < 2; i += 1) {
      const place = await Place.make({ sources })
      places.push(place)
      running.push(await place.run('Millrace'))
    }
  })

  after(async () => {
    await Promise.all(running.map((agent) => agent.stop()))
  })

  // Netty 3.10, of Flume 1.7 to 1.9, drops what stands behind the first record of a TLS 1.3 handshake.
  const tlsOf = (version: FlumeVersion): Settings =>
    version === '1.9' ? { ...tls, 'exclude-protocols': 'SSLv3 TLSv1.3' } : tls

  const hosts = (source: string): Settings => ({
    hosts: 'h1 h2',
    'hosts.h1': `127.0.0.1:${places[0]?.port(source)}`,
    'hosts.h2': `127.0.0.1:${places[1]?.port(source)}`,
  })

  for (const version of FLUME_VERSIONS) {
    for (const [kind, client] of Object.entries(CLIENTS)) {
      for (const source of TRANSPORTS) {
        it(`Flume ${version}, ${kind} client, ${source}: every event arrives once, in order`, async () => {
          for (const { batch, count } of SHAPES) {
            const name = `${version}-${kind}-${source}-${batch}`
            const before = places.map((place) => place.stored().length)
            const record = await javaPeer(version).send({
              name,
              count,
              batch,
              properties: {
                ...hosts(source),
                ...client,
                ...transportSettings(source, tlsOf(version)),
                'batch-size': String(Math.max(1, batch)),
              },
            })
            const arrived = () => places.map((place, i) => place.stored().length - (before[i] ?? 0))
            await until(() => arrived().reduce((sum, n) => sum + n) >= count, {
              timeoutMs: 20_000,
              what: () => `${count} events of ${name}, stored are ${arrived().join(' and ')}`,
            })
            assert.equal(record.acknowledged, count)
            const stored = places.map((place, i) => place.stored().slice(before[i]))
            audit(record, stored.flat(), { ordered: kind !== 'load-balancing' })
            for (const event of stored.flat()) {
              const number = Number(event.body.toString().slice(name.length + 1))
              assert.deepEqual(event.headers, sentHeaders(number))
            }
            // The default and the failover client keep to their first host, the other takes turns.
            const calls = count / Math.max(1, batch)
            const share = kind === 'load-balancing' ? Math.floor(calls / 2) * Math.max(1, batch) : 0
            assert.ok((stored[1]?.length ?? 0) >= share, `the second agent has ${share} events`)
            if (share === 0) assert.equal(stored[1]?.length, 0)
          }
        })
      }
    }
  }
})
