import assert from 'node:assert/strict'
import { constants, deflateSync } from 'node:zlib'
import { EventBatch } from '@millrace/event'
import { AvroRpcClient, type AvroRpcClientOptions } from '@millrace/rpc'
import { attackedAgent } from '../../support/attacked-agent.js'
import { TestCertificate } from '../../support/certificates.js'
import { freePort } from '../../support/free-port.js'
import { FIRST_APPEND, hex } from '../../support/rpc/golden.js'
import { RawPeer } from '../../support/rpc/raw-peer.js'
import { Closing } from '../../support/rpc/test-server.js'
import { until } from '../../support/until.js'

const deflated = (bytes: Buffer) => deflateSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH })

/** The first record of a TLS handshake, of 512 octets, of which few come. */
const HALF_A_CLIENT_HELLO = hex('1603010200 010001fc 0303 0102030405060708')

const GARBAGE: readonly (readonly [name: string, octets: Buffer])[] = [
  ['an HTTP request', Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')],
  ['a plain Avro call', FIRST_APPEND],
  ['octets of 0', Buffer.alloc(10_000)],
  ['octets of 255', Buffer.alloc(10_000, 255)],
]

describe('hostile octets on ports with TLS and with deflate', () => {
  const certificate = new TestCertificate('server', undefined, ['127.0.0.1'])
  const ports = { tls: 0, deflate: 0 }
  /** r1 plain for the good client, r2 with TLS, r3 with deflate. */
  const agent = attackedAgent(async () => {
    ports.tls = await freePort()
    ports.deflate = await freePort()
    const source = (name: string, port: number) => ({
      [`sources.${name}.type`]: 'avro',
      [`sources.${name}.bind`]: '127.0.0.1',
      [`sources.${name}.port`]: String(port),
      [`sources.${name}.channels`]: 'c1',
    })
    return {
      settings: {
        sources: 'r1 r2 r3',
        ...source('r2', ports.tls),
        'sources.r2.ssl': 'true',
        'sources.r2.keystore': certificate.writeStore(),
        ...source('r3', ports.deflate),
        'sources.r3.compression-type': 'deflate',
      },
    }
  })
  const closing = new Closing()
  const connect = async (port: number) => closing.add(await RawPeer.connect(port))
  /** A client of the same port still gets its OK. */
  const isServed = async (options: Partial<AvroRpcClientOptions> & { port: number }) => {
    const client = closing.add(new AvroRpcClient({ host: '127.0.0.1', ...options }))
    await client.appendBatch(EventBatch.of([{ body: 'served' }]))
  }
  const tlsIsServed = () => isServed({ port: ports.tls, tls: { ca: certificate.cert } })
  const deflateIsServed = () => isServed({ port: ports.deflate, compression: 'deflate' })

  for (const [name, octets] of GARBAGE) {
    it(`${name} on a port with TLS: the connection is closed, with a TLS alert at most`, async () => {
      const peer = await connect(ports.tls)
      peer.write(octets)
      await peer.closed()
      assert.ok(peer.received.length === 0 || peer.received[0] === 0x15)
      await tlsIsServed()
    })

    it(`${name} on a port with deflate: the connection is closed without an answer`, async () => {
      const peer = await connect(ports.deflate)
      peer.write(octets)
      await peer.closed()
      assert.ok(peer.received.length <= 8, 'an empty stream at most')
      await deflateIsServed()
    })
  }

  it('300 TLS handshakes that are not ended hold up nobody and cost little', async () => {
    const before = agent.process.residentBytes()
    for (let i = 0; i < 300; i += 1) (await connect(ports.tls)).write(HALF_A_CLIENT_HELLO)
    await tlsIsServed()
    assert.ok(agent.process.residentBytes() - before < 60_000_000)
  })

  it('a zlib stream of 300 MB in 300 KB is closed at its first frame, and never unpacked', async () => {
    const before = agent.process.peakBytes()
    const peer = await connect(ports.deflate)
    peer.write(deflated(Buffer.concat([FIRST_APPEND, Buffer.alloc(300_000_000)])))
    await peer.closed()
    await deflateIsServed()
    assert.ok(agent.process.peakBytes() - before < 60_000_000)
  })

  it('names the peers and what was wrong', async () => {
    await until(() => /r2: closed 127\.0\.0\.1:\d+: /.test(agent.process.log), { what: 'of TLS' })
    assert.match(agent.process.log, /r3: closed 127\.0\.0\.1:\d+: /)
  })
})
