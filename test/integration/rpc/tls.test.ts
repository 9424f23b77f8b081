import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect as connectTcp, createServer, type Socket } from 'node:net'
import { connect as connectTls, createServer as createTlsServer } from 'node:tls'
import { EventBatch } from '@millrace/event'
import {
  AvroRpcClient,
  type AvroRpcClientOptions,
  type ClientTlsOptions,
  createRpcClient,
  readKeyStore,
  readTrustStore,
  type ServerTlsOptions,
} from '@millrace/rpc'
import { DeflateDuplex } from '@millrace/rpc/internal/net/deflate-duplex'
import { MillraceError } from '@millrace/runtime'
import { type TestCertificates, testCertificates } from '../../support/certificates.js'
import { FIRST_APPEND, FIRST_OK } from '../../support/rpc/golden.js'
import { RawPeer } from '../../support/rpc/raw-peer.js'
import { Closing, startServer } from '../../support/rpc/test-server.js'
import { until } from '../../support/until.js'

const HELLO = EventBatch.of([{ headers: { k: 'v' }, body: 'hello' }])

describe('TLS between client and server', () => {
  const closing = new Closing()
  let certificates: TestCertificates
  before(() => {
    certificates = testCertificates()
  })
  const serve = (tls: Partial<ServerTlsOptions> = {}, options: object = {}) => {
    const { key, cert } = certificates.server
    return startServer({ tls: { key, cert, ...tls }, ...options }, closing.step)
  }
  const clientOf = (
    port: number,
    tls: ClientTlsOptions,
    options: Partial<AvroRpcClientOptions> = {},
  ) => closing.add(new AvroRpcClient({ host: 'localhost', port, tls, ...options }))
  const trusting = () => ({ ca: certificates.authority.cert })
  const failsToConnect = (client: AvroRpcClient, cause: RegExp) =>
    assert.rejects(client.append(HELLO), (error: unknown) => {
      assert.ok(MillraceError.is(error), String(error))
      assert.match(error.code, /^MILLRACE_RPC_(CONNECT|CLOSED)$/)
      assert.match(error.message, cause)
      return true
    })

  it('carries calls when the server is trusted and its name fits', async () => {
    const { port, handler, log } = await serve()
    for (const host of ['localhost', '127.0.0.1']) {
      const client = clientOf(port, trusting(), { host })
      await client.append(HELLO)
      await client.appendBatch(EventBatch.of([{ body: Buffer.alloc(500_000, 1) }]))
      await client.close()
    }
    assert.equal(handler.calls.length, 4)
    assert.equal(handler.calls[0]?.context.remoteAddress, '127.0.0.1')
    assert.deepEqual(log, [])
  })

  it('is refused by the client when the authority is unknown, unless it trusts all', async () => {
    const { port, log } = await serve()
    await failsToConnect(clientOf(port, {}), /self.signed|unable to (verify|get)/)
    await clientOf(port, { trustAll: true }).append(HELLO)
    assert.ok(log.length <= 1, log.join(''))
  })

  it('is refused by the client when the name is another, unless it does not look', async () => {
    const { key, cert } = certificates.otherServer
    const { port } = await serve({ key, cert })
    await failsToConnect(clientOf(port, trusting()), /altnames|does not match/i)
    await clientOf(port, { ...trusting(), checkHostname: false }).append(HELLO)
    await clientOf(port, { ...trusting(), servername: 'other.example' }).append(HELLO)
    const { cert: strange } = certificates.authority
    const stranger = await serve(certificates.stranger)
    const unchecked = { ca: strange, checkHostname: false }
    await failsToConnect(clientOf(stranger.port, unchecked), /self.signed/)
  })

  it('tells the server which name is meant, and no address', async () => {
    const { key, cert } = certificates.server
    const names: string[] = []
    const server = createTlsServer({
      key,
      cert,
      SNICallback: (name, done) => {
        names.push(name)
        done(null)
      },
    })
    server.on('secureConnection', (stream) => stream.destroy())
    server.on('tlsClientError', () => {})
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    closing.step(() => server.close())
    const address = server.address()
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0
    for (const [host, tls] of [
      ['localhost', {}],
      ['127.0.0.1', {}],
      ['127.0.0.1', { servername: 'other.example' }],
    ] as const)
      await assert.rejects(clientOf(port, { trustAll: true, ...tls }, { host }).append(HELLO))
    assert.deepEqual(names, ['localhost', 'other.example'])
  })

  it('asks for a client certificate as it is told', async () => {
    const { client: own, authority, stranger } = certificates
    const need = await serve({ clientAuth: 'need', ca: authority.cert })
    const certified = { ...trusting(), key: own.key, cert: own.cert }
    await clientOf(need.port, certified).append(HELLO)
    await failsToConnect(clientOf(need.port, trusting()), /./)
    const strange = { ...trusting(), key: stranger.key, cert: stranger.cert }
    await failsToConnect(clientOf(need.port, strange), /./)
    assert.equal(need.handler.calls.length, 1)
    const want = await serve({ clientAuth: 'want', ca: authority.cert })
    await clientOf(want.port, trusting()).append(HELLO)
    await clientOf(want.port, certified).append(HELLO)
  })

  for (const layers of ['tls', 'tls in zlib', 'zlib in tls'] as const) {
    it(`answers what it owes to a client that closed its side, ${layers}`, async () => {
      const compression = layers === 'tls' ? 'none' : 'deflate'
      const { port, handler, server } = await serve({}, { compression })
      handler.isManual = true
      const socket = connectTcp({ host: '127.0.0.1', port, allowHalfOpen: true })
      const below = layers === 'tls in zlib' ? new DeflateDuplex(socket) : socket
      const tls = connectTls({ socket: below, rejectUnauthorized: false })
      await once(tls, 'secureConnect')
      const stream = layers === 'zlib in tls' ? new DeflateDuplex(tls) : tls
      const peer = new RawPeer(stream as Socket)
      stream.end(FIRST_APPEND)
      const call = await until(() => handler.calls[0], { what: 'the call' })
      // Some turns, in which the server learns that no more will come.
      for (let i = 0; i < 30; i += 1) await new Promise((resolve) => void setImmediate(resolve))
      call.answer.resolve()
      assert.deepEqual(await peer.read(FIRST_OK.length), FIRST_OK)
      await until(() => server.connectionCount === 0, { what: 'the connection is gone' })
    })
  }

  for (const layers of ['tls', 'tls in zlib', 'zlib in tls'] as const) {
    it(`gives new connections renewed certificates and leaves the others alone, ${layers}`, async () => {
      const compression = layers === 'tls' ? 'none' : 'deflate'
      const outermost = layers === 'zlib in tls' ? 'tls' : 'zlib'
      const { port, server, handler } = await serve({}, { compression })
      const { authority, stranger } = certificates
      const connected = (ca: string) =>
        clientOf(port, { ca, checkHostname: false, outermost }, { compression })
      const before = connected(authority.cert)
      await before.append(HELLO)
      server.renewTls({ key: stranger.key, cert: stranger.cert })
      await failsToConnect(connected(authority.cert), /self.signed|verify/)
      await connected(stranger.cert).append(HELLO)
      await before.append(HELLO)
      assert.equal(handler.calls.length, 3)
    })
  }

  for (const outermost of ['zlib', 'tls'] as const) {
    it(`goes together with deflate, ${outermost} outermost, which the server sees by itself`, async () => {
      const { port, handler, log, server } = await serve({}, { compression: 'deflate' })
      const tls = { ...trusting(), outermost }
      const client = clientOf(port, tls, { compression: 'deflate' })
      await client.append(HELLO)
      await client.appendBatch(
        EventBatch.of([{ body: Buffer.alloc(300_000, 'ab') }, { body: 'x' }]),
      )
      await client.appendBatch(HELLO)
      assert.equal(handler.calls.length, 3)
      assert.equal(handler.calls[2]?.context.remoteAddress, '127.0.0.1')
      await client.close()
      await until(() => server.connectionCount === 0, { what: 'the connection is gone' })
      assert.deepEqual(log, [])
    })
  }

  it('puts zlib outermost by default, as Flume 1.11', async () => {
    const { port } = await serve({}, { compression: 'deflate' })
    const first: number[] = []
    const { createServer } = await import('node:net')
    const proxy = createServer((socket) => {
      const upstream = connectTcp({ port, host: '127.0.0.1' })
      socket.once('data', (chunk) => first.push(chunk[0] ?? -1))
      socket.on('error', () => upstream.destroy())
      upstream.on('error', () => socket.destroy())
      socket.pipe(upstream).pipe(socket)
    })
    await new Promise<void>((resolve) => {
      proxy.listen(0, '127.0.0.1', resolve)
    })
    closing.step(() => proxy.close())
    const address = proxy.address()
    const proxied = typeof address === 'object' && address ? address.port : 0
    await clientOf(proxied, trusting(), { compression: 'deflate' }).append(HELLO)
    assert.deepEqual(first, [0x78])
  })

  it('closes a plain client with one line in the log, and serves others', async () => {
    for (const compression of ['none', 'deflate'] as const) {
      const { port, log, server } = await serve({}, { compression })
      const peer = closing.add(await RawPeer.connect(port))
      peer.write(Buffer.from('GET / HTTP/1.1\r\n\r\n'))
      await peer.closed()
      await until(() => log.length === 1, { what: 'a line in the log' })
      assert.match(log[0] ?? '', new RegExp(`closed 127.0.0.1:${peer.socket.localPort}`))
      const garbage = closing.add(await RawPeer.connect(port))
      garbage.write(Buffer.from('789c00ff00ff00ff00ff', 'hex'))
      await garbage.closed()
      await until(() => server.connectionCount === 0, { what: 'both are gone' })
      await clientOf(port, trusting(), { compression }).append(HELLO)
    }
  })

  it('tells the way out when a client finds a bad record, as old clients of Flume do with TLS 1.3', async () => {
    const { port, log } = await serve()
    const proxy = createServer((client) => {
      const target = connectTcp({ port, host: '127.0.0.1' })
      client.pipe(target)
      target.once('data', (octets: Buffer) => {
        const last = octets.length - 1
        octets[last] = (octets[last] ?? 0) ^ 1
        client.write(octets)
      })
      for (const socket of [client, target]) socket.on('error', () => undefined)
    }).listen(0, '127.0.0.1')
    await once(proxy, 'listening')
    const address = proxy.address()
    assert.ok(typeof address === 'object' && address)
    await failsToConnect(clientOf(address.port, trusting()), /bad record|decryption failed/)
    await until(() => log.length === 1, { what: 'a line in the log' })
    assert.match(log[0] ?? '', /bad record mac \(clients of Flume 1\.7 to 1\.9 need TLS 1\.2/)
    proxy.close()
  })

  it('asks nothing of a silent peer, and gives a begun handshake its time', async () => {
    const limits = { handshakeTimeoutMs: 150 }
    const { port, log, server } = await serve({}, { limits })
    const silent = closing.add(await RawPeer.connect(port))
    const begun = closing.add(await RawPeer.connect(port))
    begun.write(Buffer.from('160301020001', 'hex'))
    await begun.closed()
    assert.equal(log.length, 1, log.join(''))
    assert.equal(silent.hasEnded || silent.isClosed, false)
    assert.equal(server.connectionCount, 1)
  })

  it('answers what it owes to a client that closed its side', async () => {
    const { port, handler } = await serve()
    const client = clientOf(port, trusting())
    handler.isManual = true
    const pending = client.append(HELLO)
    const call = await until(() => handler.calls[0], { what: 'the call' })
    call.answer.resolve()
    await pending
  })

  it('fails to listen with a key that is none', async () => {
    await assert.rejects(serve({ key: 'no key' }), { code: 'MILLRACE_LIFECYCLE_START_FAILED' })
  })

  it("takes Flume's stores when they are PEM files", async () => {
    const { server, client, authority } = certificates
    const store = readKeyStore(server.writeStore('secret'), { password: 'secret', type: 'pem' })
    const ca = readTrustStore(authority.writeCertificate())
    const { port } = await serve({ ...store, clientAuth: 'need', ca })
    const rpc = closing.add(
      createRpcClient({
        hosts: 'h1',
        'hosts.h1': `127.0.0.1:${port}`,
        ssl: 'true',
        truststore: authority.writeCertificate(),
        'truststore-type': 'PEM',
        keystore: client.writeStore('other'),
        'keystore-password': 'other',
      }),
    )
    await rpc.append(HELLO)
    assert.throws(() => readKeyStore(authority.writeCertificate()), /has no private key/)
    assert.throws(() => readKeyStore('/nowhere/store.pem'), /cannot be read/)
    assert.throws(() => readTrustStore(authority.writeCertificate(), { type: 'JKS' }), /JKS/)
  })
})
