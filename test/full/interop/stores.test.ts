import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { testCertificates } from '../../support/certificates.js'
import { audit } from '../../support/interop/audit.js'
import { type FlumeVersion, FLUME_VERSIONS } from '../../support/interop/class-path.js'
import { javaPeer } from '../../support/interop/java-peer.js'
import { Place, type RunningAgent, type Settings } from '../../support/interop/place.js'
import { PASSWORD } from '../../support/interop/tls.js'
import { temporaryDirectory } from '../../support/temp-directory.js'
import { until } from '../../support/until.js'

const COUNT = 200

const run = promisify(execFile)

const keytool = (words: string) => run('keytool', words.split(' '))

describe('stores as Java writes them, at a Millrace source and sink', function () {
  this.timeout(60_000)
  const certificates = testCertificates()
  const directory = temporaryDirectory()
  const keystores: Record<string, string> = {}
  const truststores: Record<string, string> = {}
  const running: RunningAgent[] = []

  before(async () => {
    const { authority, server } = certificates
    for (const type of ['JKS', 'PKCS12']) {
      keystores[type] = join(directory, `key.${type}`)
      truststores[type] = join(directory, `trust.${type}`)
      const store = { type, password: PASSWORD }
      const { cert, key } = server
      await javaPeer('1.11').writeStore({ ...store, file: keystores[type], cert, key })
      await javaPeer('1.11').writeStore({ ...store, file: truststores[type], cert: authority.cert })
    }
    // Java 8 and older wrote RC2 and triple DES with SHA-1, which Node itself does not open.
    const source = keystores['PKCS12'] ?? ''
    keystores['legacy PKCS12'] = join(directory, 'legacy.p12')
    await keytool(
      `-J-Dkeystore.pkcs12.legacy -importkeystore -noprompt -srckeystore ${source} ` +
        `-srcstorepass ${PASSWORD} -destkeystore ${keystores['legacy PKCS12']} ` +
        `-deststorepass ${PASSWORD} -deststoretype PKCS12`,
    )
    // An elliptic key, as keytool makes it.
    keystores['elliptic PKCS12'] = join(directory, 'elliptic.p12')
    await keytool(
      '-genkeypair -alias server -keyalg EC -groupname secp256r1 -dname CN=localhost ' +
        `-keystore ${keystores['elliptic PKCS12']} -storepass ${PASSWORD} -storetype PKCS12`,
    )
  })

  afterEach(async () => {
    await Promise.all(running.splice(0).map((agent) => agent.stop()))
  })

  async function arrives(version: FlumeVersion, server: Settings, client: Settings): Promise<void> {
    const place = await Place.make({ sources: { r1: { ssl: 'true', ...server } } })
    running.push(await place.run('Millrace'))
    const record = await javaPeer(version).send({
      name: 'tls',
      count: COUNT,
      batch: 10,
      properties: { ...place.hosts(), ssl: 'true', ...client },
    })
    await until(() => place.stored().length >= COUNT, { what: 'every event is stored' })
    audit(record, place.stored())
  }

  for (const kind of ['JKS', 'PKCS12', 'legacy PKCS12', 'elliptic PKCS12']) {
    it(`a source opens a ${kind} key store that says it is JKS, as Flume does`, async () => {
      await arrives(
        '1.11',
        {
          keystore: keystores[kind] ?? '',
          'keystore-password': PASSWORD,
          'keystore-type': 'JKS',
        },
        { 'trust-all-certs': 'true' },
      )
    })
  }

  for (const version of FLUME_VERSIONS) {
    it(`clients of Flume ${version} come in where the source excludes TLS 1.3`, async () => {
      const server = {
        keystore: keystores['JKS'] ?? '',
        'keystore-password': PASSWORD,
        'exclude-protocols': 'SSLv3 TLSv1.3',
      }
      const truststore = truststores['JKS'] ?? ''
      await arrives(version, server, { truststore, 'truststore-password': PASSWORD })
    })
  }

  it('clients of Flume 1.11 come in where the source speaks TLS 1.3 alone, or one suite', async () => {
    const server = { keystore: keystores['JKS'] ?? '', 'keystore-password': PASSWORD }
    const client = { 'trust-all-certs': 'true' }
    await arrives('1.11', { ...server, 'include-protocols': 'TLSv1.3' }, client)
    const suite = 'TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384'
    await arrives('1.11', { ...server, 'include-cipher-suites': suite }, client)
    await arrives('1.11', server, { ...client, 'include-protocols': 'TLSv1.2' })
  })

  it('a client that trusts another authority sends nothing', async () => {
    const place = await Place.make({
      sources: {
        r1: { ssl: 'true', keystore: keystores['JKS'] ?? '', 'keystore-password': PASSWORD },
      },
    })
    running.push(await place.run('Millrace'))
    const other = join(directory, 'other.jks')
    const { cert } = certificates.stranger
    await javaPeer('1.11').writeStore({ type: 'JKS', file: other, password: PASSWORD, cert })
    const sending = javaPeer('1.11').send({
      name: 'stranger',
      count: 1,
      batch: 0,
      properties: {
        ...place.hosts(),
        ssl: 'true',
        truststore: other,
        'truststore-password': PASSWORD,
      },
    })
    await assert.rejects(sending, /EventDeliveryException/)
    assert.deepEqual(place.stored(), [])
  })

  for (const kind of ['JKS', 'PKCS12']) {
    it(`a sink trusts what a ${kind} trust store says, to a source of Flume 1.11`, async () => {
      const flume = await Place.make({
        sources: {
          r1: { ssl: 'true', keystore: keystores[kind] ?? '', 'keystore-password': PASSWORD },
        },
      })
      running.push(await flume.run('1.11'))
      const relay = await Place.make({
        sink: {
          hostname: '127.0.0.1',
          port: String(flume.port()),
          ssl: 'true',
          truststore: truststores[kind] ?? '',
          'truststore-password': PASSWORD,
        },
      })
      running.push(await relay.run('Millrace'))
      const properties = { ...relay.hosts() }
      const record = await javaPeer('1.11').send({
        name: 'sink',
        count: COUNT,
        batch: 10,
        properties,
      })
      await until(() => flume.stored().length >= COUNT, {
        timeoutMs: 20_000,
        what: () => `every event is stored, there are ${flume.stored().length}`,
      })
      audit(record, flume.stored())
    })
  }
})
