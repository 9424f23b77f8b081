import assert from 'node:assert/strict'
import { createServer } from 'node:tls'
import { EventBatch } from '@millrace/event'
import { AvroRpcClient, AvroRpcConnection } from '@millrace/rpc'
import { FakeClock } from '@millrace/testkit'
import { FIRST_APPEND, FIRST_OK, frame, SECOND_OK } from '../../support/rpc/golden.js'
import { RawServer } from '../../support/rpc/raw-peer.js'
import { testCertificates } from '../../support/certificates.js'
import { Closing } from '../../support/rpc/test-server.js'
import { until } from '../../support/until.js'

const HELLO = EventBatch.of([{ headers: { k: 'v' }, body: 'hello' }])
const OK = (serial: number) => frame(serial, '', '00', '0000')
const TIME = { timeoutMs: 20_000 }

describe('answers on a client connection', () => {
  const closing = new Closing()
  const open = async () => {
    const clock = new FakeClock()
    const server = closing.add(await RawServer.listen())
    const target = { host: '127.0.0.1', port: server.port, clock }
    const connection = new AvroRpcConnection(target)
    closing.step(() => {
      const closed = connection.close()
      setImmediate(() => void clock.advance(1_000))
      return closed
    })
    await connection.connect(TIME)
    const peer = await server.accept()
    const first = connection.call('append', HELLO, TIME)
    assert.deepEqual(await peer.read(FIRST_APPEND.length), FIRST_APPEND)
    peer.write(FIRST_OK)
    await first
    return { clock, connection, peer, server, target }
  }
  const call = (connection: AvroRpcConnection, signal?: AbortSignal) => {
    const answer = connection.call('appendBatch', HELLO, { ...TIME, signal })
    answer.catch(() => {})
    return answer
  }

  it('are matched by their serial in any order', async () => {
    const { connection, peer } = await open()
    const calls = [call(connection), call(connection), call(connection)]
    assert.equal(connection.inFlightCount, 3)
    for (const _ of calls) await peer.readFrame()
    peer.write(Buffer.concat([OK(4), frame(2, '', '00', '0002'), OK(3)]))
    await assert.rejects(calls[0] ?? Promise.resolve(), { code: 'MILLRACE_RPC_REMOTE_FAILED' })
    await calls[1]
    await calls[2]
    assert.equal(connection.isOpen, true)
    assert.equal(connection.inFlightCount, 0)
  })

  it('wait for the handshake when calls are made before it is through', async () => {
    const server = closing.add(await RawServer.listen())
    const connection = closing.add(new AvroRpcConnection({ host: '127.0.0.1', port: server.port }))
    await connection.connect(TIME)
    const peer = await server.accept()
    const batch = (body: string) => connection.call('appendBatch', EventBatch.of([{ body }]), TIME)
    const calls = [connection.call('append', HELLO, TIME), batch('one'), batch('two')]
    await peer.read(FIRST_APPEND.length)
    assert.equal(peer.unread.length, 0)
    peer.write(FIRST_OK)
    for (const [serial, body] of [
      [2, 'one'],
      [3, 'two'],
    ] as const) {
      const sent = await peer.readFrame()
      assert.equal(sent.serial, serial)
      assert.ok(sent.message.includes(body))
    }
    peer.write(Buffer.concat([OK(2), OK(3)]))
    await Promise.all(calls)
  })

  it('come late to a call that its signal gave up: dropped, and the connection goes on', async () => {
    const { connection, peer } = await open()
    const controller = new AbortController()
    const given = call(connection, controller.signal)
    await peer.readFrame()
    controller.abort()
    await assert.rejects(given, { code: 'MILLRACE_ABORTED', name: 'AbortError' })
    const next = call(connection)
    await peer.readFrame()
    peer.write(Buffer.concat([OK(2), OK(3)]))
    await next
    assert.equal(connection.isOpen, true)
    assert.equal(connection.inFlightCount, 0)
  })

  it('never come to a call that its signal gave up: its time limit closes the connection', async () => {
    const { connection, peer, clock } = await open()
    const controller = new AbortController()
    const given = call(connection, controller.signal)
    await peer.readFrame()
    controller.abort()
    await assert.rejects(given, { code: 'MILLRACE_ABORTED' })
    await clock.advance(20_000)
    assert.equal(connection.isOpen, false)
  })

  it('of a call given up during the handshake are not waited for: the connection is closed', async () => {
    const server = closing.add(await RawServer.listen())
    const connection = closing.add(new AvroRpcConnection({ host: '127.0.0.1', port: server.port }))
    await connection.connect(TIME)
    const peer = await server.accept()
    const controller = new AbortController()
    const first = call(connection, controller.signal)
    const second = call(connection)
    await peer.readFrame()
    controller.abort()
    await assert.rejects(first, { code: 'MILLRACE_ABORTED' })
    await assert.rejects(second, { code: 'MILLRACE_RPC_CLOSED', retryable: true })
    await peer.closed()
  })

  it('too late for the time limit: that call and all others fail, and the connection is closed', async () => {
    const { connection, peer, clock } = await open()
    const first = call(connection)
    await clock.advance(19_000)
    const second = call(connection)
    await clock.advance(1_000)
    await assert.rejects(first, { code: 'MILLRACE_RPC_TIMEOUT', retryable: true })
    await assert.rejects(second, { code: 'MILLRACE_RPC_CLOSED', retryable: true })
    await peer.closed()
    await assert.rejects(call(connection), { code: 'MILLRACE_RPC_CLOSED' })
    assert.equal(clock.pendingTimers, 0)
  })

  for (const [name, answer] of [
    ['to a serial that was never sent', OK(77)],
    ['to a serial that was answered before', Buffer.concat([OK(2), OK(2)])],
    ['with a status that is none', frame(2, '', '00', '0008')],
    ['that ends inside', frame(2, '', '00')],
    ['of a negative number of buffers', Buffer.from('00000002ffffffff', 'hex')],
    ['that is HTTP', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')],
    ['of more octets than an answer may have', Buffer.from('000000020000000100ffffff', 'hex')],
  ] as const) {
    it(`${name} close the connection; what is unanswered may be sent again`, async () => {
      const { connection, peer } = await open()
      const calls = [call(connection), call(connection)]
      for (const _ of calls) await peer.readFrame()
      peer.write(answer)
      await assert.rejects(calls[1] ?? Promise.resolve(), {
        code: 'MILLRACE_RPC_CLOSED',
        retryable: true,
      })
      await peer.closed()
      assert.equal(connection.isOpen, false)
    })
  }

  it('to no call at all close the connection', async () => {
    const { connection, peer } = await open()
    peer.write(OK(1))
    await peer.closed()
    assert.equal(connection.isClosed, true)
  })

  it('end with the connection: unanswered calls fail at once when the server closes or resets', async () => {
    for (const end of ['end', 'resetAndDestroy'] as const) {
      const { connection, peer } = await open()
      const pending = call(connection)
      await peer.readFrame()
      peer.socket[end]()
      await assert.rejects(pending, { code: 'MILLRACE_RPC_CLOSED' })
      await until(() => connection.isClosed, { what: 'it is closed' })
    }
  })

  it('that arrive together with the end of the stream still count', async () => {
    const { connection, peer } = await open()
    const pending = call(connection)
    await peer.readFrame()
    peer.socket.end(OK(2))
    await pending
    await until(() => connection.isClosed, { what: 'it is closed' })
  })
})

describe('time limits of AvroRpcClient', () => {
  const closing = new Closing()
  const open = async (options: object = {}) => {
    const clock = new FakeClock()
    const server = closing.add(await RawServer.listen())
    const client = new AvroRpcClient({ host: '127.0.0.1', port: server.port, clock, ...options })
    closing.step(() => {
      const closed = client.close()
      setImmediate(() => void clock.advance(1_000))
      return closed
    })
    return { clock, server, client }
  }

  it('connect-timeout covers the whole first call, request-timeout the later ones', async () => {
    const limits = { connectTimeoutMs: 3_000, requestTimeoutMs: 7_000 }
    const silent = await open(limits)
    const first = silent.client.append(HELLO)
    first.catch(() => {})
    await (await silent.server.accept()).readFrame()
    await silent.clock.advance(2_999)
    assert.equal(silent.client.isActive, true)
    await silent.clock.advance(1)
    await assert.rejects(first, { code: 'MILLRACE_RPC_TIMEOUT', message: /^Handshake timed out/ })
    assert.equal(silent.client.isActive, false)

    const { client, server, clock } = await open(limits)
    const answered = client.append(HELLO)
    const peer = await server.accept()
    await peer.readFrame()
    peer.write(FIRST_OK)
    await answered
    const second = client.append(HELLO)
    second.catch(() => {})
    await peer.readFrame()
    await clock.advance(6_999)
    assert.equal(client.isActive, true)
    await clock.advance(1)
    await assert.rejects(second, {
      code: 'MILLRACE_RPC_TIMEOUT',
      message: /^RPC request timed out/,
    })
    await peer.closed()
  })

  it('connect-timeout covers the time until the connection is there, too', async () => {
    const { client, server, clock } = await open({
      tls: { trustAll: true },
      connectTimeoutMs: 3_000,
    })
    const first = client.append(HELLO)
    first.catch(() => {})
    const { socket } = await server.accept()
    await clock.advance(1_000)
    const { key, cert } = testCertificates().server
    const secured = createServer({ key, cert })
    const calls: Buffer[] = []
    secured.on('secureConnection', (stream) => stream.on('data', (chunk) => calls.push(chunk)))
    const hello = server.peers[0]?.received ?? Buffer.alloc(0)
    socket.removeAllListeners('data')
    socket.pause()
    if (hello.length > 0) socket.unshift(hello)
    secured.emit('connection', socket)
    await until(() => calls.length > 0, { what: 'the first call' })
    await clock.advance(1_999)
    assert.equal(client.isActive, true)
    await clock.advance(1)
    await assert.rejects(first, { code: 'MILLRACE_RPC_TIMEOUT' })
  })

  it('are made one behind the other, however many are begun at once', async () => {
    const { client, server } = await open()
    const begun = ['one', 'two', 'three'].map((body) =>
      client.appendBatch(EventBatch.of([{ body }])),
    )
    const peer = await server.accept()
    for (const [index, body] of ['one', 'two', 'three'].entries()) {
      const sent = await peer.readFrame()
      assert.ok(sent.message.includes(body))
      // A call that did not wait would be sent in the same turn.
      assert.equal(peer.unread.length, 0)
      peer.write(index === 0 ? frame(1, '00000000', '00', '0000') : OK(index + 1))
    }
    await Promise.all(begun)
  })

  it('both are 20 seconds by default', async () => {
    const { client, server, clock } = await open()
    const first = client.append(HELLO)
    first.catch(() => {})
    await (await server.accept()).readFrame()
    assert.equal(clock.nextTimerMs, 20_000)
  })

  it('a server that accepts and never speaks TLS does not hold a client beyond connect-timeout', async () => {
    const { client, server, clock } = await open({ tls: {}, connectTimeoutMs: 2_000 })
    const first = client.append(HELLO)
    first.catch(() => {})
    const peer = await server.accept()
    await until(() => peer.received.length > 0, { what: 'the ClientHello' })
    await clock.advance(2_000)
    await assert.rejects(first, { code: 'MILLRACE_RPC_TIMEOUT' })
    await peer.closed()
  })

  it('a call given up after the handshake leaves the client alive; during it, it is dead', async () => {
    const { client, server } = await open()
    const answered = client.append(HELLO)
    const peer = await server.accept()
    await peer.readFrame()
    peer.write(FIRST_OK)
    await answered
    const controller = new AbortController()
    const given = client.append(HELLO, { signal: controller.signal })
    await peer.readFrame()
    controller.abort()
    await assert.rejects(given, { name: 'AbortError' })
    assert.equal(client.isActive, true)
    const next = client.append(HELLO)
    await peer.readFrame()
    peer.write(Buffer.concat([SECOND_OK, OK(3)]))
    await next

    const early = await open()
    const first = early.client.append(HELLO, { signal: AbortSignal.abort() })
    await assert.rejects(first, { name: 'AbortError' })
    assert.equal(early.client.isActive, true, 'nothing was begun')
    const cut = new AbortController()
    const second = early.client.append(HELLO, { signal: cut.signal })
    await (await early.server.accept()).readFrame()
    cut.abort()
    await assert.rejects(second, { name: 'AbortError' })
    await until(() => !early.client.isActive, { what: 'it is dead' })
  })

  it('notices between calls that its server went away', async () => {
    const { client, server } = await open()
    const answered = client.append(HELLO)
    const peer = await server.accept()
    await peer.readFrame()
    peer.write(FIRST_OK)
    await answered
    peer.socket.end()
    await until(() => !client.isActive, { what: 'it is dead' })
  })

  it('close gives up what is unanswered, is done twice, and works before anything else', async () => {
    const { client, server } = await open()
    const pending = client.append(HELLO)
    const peer = await server.accept()
    await peer.readFrame()
    const closed = client.close()
    await assert.rejects(pending, { code: 'MILLRACE_RPC_CLOSED' })
    await peer.closed()
    peer.socket.end()
    await closed
    await client.close()
    await assert.rejects(client.append(HELLO), { code: 'MILLRACE_RPC_CLOSED' })
    const unused = new AvroRpcClient({ host: '127.0.0.1', port: 1 })
    await unused.close()
    await assert.rejects(unused.connect(), { code: 'MILLRACE_RPC_CLOSED' })
  })

  it('a refused connection is an error that names the address', async () => {
    const server = await RawServer.listen()
    const { port } = server
    await server.close()
    const client = closing.add(new AvroRpcClient({ host: '127.0.0.1', port }))
    await assert.rejects(client.append(HELLO), {
      code: 'MILLRACE_RPC_CONNECT',
      retryable: true,
      message: new RegExp(`Cannot connect to 127.0.0.1:${port}: .*ECONNREFUSED`),
    })
    assert.equal(client.isActive, false)
  })
})
