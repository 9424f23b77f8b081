import assert from 'node:assert/strict'
import { EventBatch } from '@millrace/event'
import { AvroRpcClient, AvroRpcServer } from '@millrace/rpc'
import { ChannelError } from '@millrace/runtime'
import {
  FIRST_APPEND,
  FIRST_OK,
  frame,
  handshake,
  SECOND_OK,
  text,
} from '../../support/rpc/golden.js'
import { RawPeer } from '../../support/rpc/raw-peer.js'
import { Closing, startServer } from '../../support/rpc/test-server.js'
import { until } from '../../support/until.js'

const BATCH = `00 ${text('appendBatch')}`
const batchOf = (serial: number, body: string) => frame(serial, BATCH, `02 00 ${text(body)} 00`)

/** Waits until a number stays what it is for a good many looks. */
async function unchanging(number: () => number): Promise<void> {
  let last = number()
  let looks = 0
  const isSame = () => {
    looks = number() === last ? looks + 1 : 0
    last = number()
    return looks >= 80
  }
  await until(isSame, { what: 'a number that stays' })
}

describe('AvroRpcServer', () => {
  const closing = new Closing()
  const open = async (options: Parameters<typeof startServer>[0] = {}) => {
    const started = await startServer(options, closing.step)
    const connect = async () => {
      const peer = closing.add(await RawPeer.connect(started.port))
      peer.write(FIRST_APPEND)
      await peer.read(FIRST_OK.length)
      started.handler.calls.length = 0
      return peer
    }
    return { ...started, connect }
  }

  it('begins pipelined calls in their order without waiting, and answers in their order', async () => {
    const { connect, handler, port } = await open()
    const peer = await connect()
    handler.isManual = true
    const serials = [7, 3, 9, -5, 100]
    peer.write(Buffer.concat(serials.map((serial, i) => batchOf(serial, `e${i}`))))
    await until(() => handler.calls.length === 5, { what: 'all calls are begun' })
    assert.deepEqual(handler.bodies, ['e0', 'e1', 'e2', 'e3', 'e4'])
    for (const index of [4, 2, 1]) handler.calls[index]?.answer.resolve()
    handler.calls[3]?.answer.reject(new ChannelError('MILLRACE_CHANNEL_FULL', 'full'))
    // What is written in this time would be here by the answer to a ping.
    const other = closing.add(await RawPeer.connect(port))
    other.write(frame(1, handshake(), '00 00'))
    await other.readFrame()
    assert.equal(peer.unread.length, 0, 'the first is not answered, so none is')
    handler.calls[0]?.answer.resolve()
    const answers = []
    handler.isManual = true
    peer.write(batchOf(8, 'unanswered'))
    await until(() => handler.calls.length === 6, { what: 'one more call' })
    for (const _ of serials) answers.push(await peer.readFrame())
    assert.deepEqual(
      answers.map(({ serial, message }) => [serial, message.toString('hex')]),
      [
        [7, '000000'],
        [3, '000000'],
        [9, '000000'],
        [-5, '000002'],
        [100, '000000'],
      ],
    )
  })

  it('does not let the calls of one connection wait for those of another', async () => {
    const { connect, handler } = await open()
    const [slow, quick] = [await connect(), await connect()]
    handler.isManual = true
    slow.write(batchOf(1, 'slow'))
    await until(() => handler.calls.length === 1, { what: 'the slow call' })
    quick.write(batchOf(2, 'quick'))
    await until(() => handler.calls.length === 2, { what: 'the quick call' })
    handler.calls[1]?.answer.resolve()
    assert.deepEqual(await quick.read(SECOND_OK.length), SECOND_OK)
    assert.equal(slow.unread.length, 0)
  })

  it('answers what it owes to a client that closed its side', async () => {
    const { connect, handler, server, log } = await open()
    const peer = await connect()
    handler.isManual = true
    peer.socket.end(Buffer.concat([batchOf(2, 'a'), batchOf(3, 'b')]))
    await until(() => handler.calls.length === 2, { what: 'both calls' })
    assert.equal(peer.hasEnded, false)
    for (const call of handler.calls) call.answer.resolve()
    assert.equal((await peer.readFrame()).serial, 2)
    assert.equal((await peer.readFrame()).serial, 3)
    await peer.closed()
    await until(() => server.connectionCount === 0, { what: 'the connection is gone' })
    assert.deepEqual(log, [])
  })

  it('tells the handler by its signal that the connection is lost', async () => {
    const { connect, handler, server } = await open()
    const peer = await connect()
    handler.isManual = true
    peer.write(batchOf(2, 'a'))
    const call = await until(() => handler.calls[0], { what: 'the call' })
    assert.equal(call.context.remoteAddress, '127.0.0.1')
    assert.equal(call.context.signal.aborted, false)
    peer.socket.resetAndDestroy()
    await until(() => call.context.signal.aborted, { what: 'the signal' })
    call.answer.resolve()
    await until(() => server.pendingBytes === 0, { what: 'nothing is held' })
  })

  it('is not read beyond the window of a connection, and goes on when answers are out', async () => {
    const limits = { maxPendingBytesPerConnection: 200_000 }
    const { connect, handler, server } = await open({ limits })
    const [peer, other] = [await connect(), await connect()]
    handler.isManual = true
    const large = 'x'.repeat(50_000)
    const count = 400
    for (let serial = 1; serial <= count; serial += 1) peer.write(batchOf(serial, large))
    await until(() => server.pendingBytes > 200_000, { what: 'the window is full' })
    const begun = handler.calls.length
    other.write(batchOf(1, 'other'))
    await until(() => handler.bodies.includes('other'), { what: 'the other goes on' })
    assert.equal(handler.calls.length, begun + 1, 'the first is not read meanwhile')
    assert.ok(server.pendingBytes < 400_000, `${server.pendingBytes} octets are held`)
    handler.isManual = false
    for (const call of handler.calls) call.answer.resolve()
    for (let serial = 1; serial <= count; serial += 1) {
      assert.equal((await peer.readFrame()).serial, serial)
    }
    await until(() => server.pendingBytes === 0, { what: 'nothing is held' })
  })

  it('reads nobody while all together hold too much, and everybody afterwards', async () => {
    const { connect, handler, server } = await open({ limits: { maxPendingBytes: 150_000 } })
    const peers = [await connect(), await connect(), await connect()]
    handler.isManual = true
    const large = 'x'.repeat(40_000)
    for (const peer of peers) {
      for (let serial = 1; serial <= 20; serial += 1) peer.write(batchOf(serial, large))
    }
    await until(() => server.pendingBytes > 150_000, { what: 'the limit is reached' })
    await unchanging(() => server.pendingBytes)
    assert.ok(server.pendingBytes < 150_000 + 3 * 65_536 + 40_000)
    handler.isManual = false
    for (const call of handler.calls) call.answer.resolve()
    for (const peer of peers) {
      for (let serial = 1; serial <= 20; serial += 1) {
        assert.equal((await peer.readFrame()).serial, serial)
      }
    }
  })

  it('completes frames one after the other when unfinished ones alone fill the limit', async () => {
    const { connect, handler, server } = await open({ limits: { maxPendingBytes: 100_000 } })
    const peers = [await connect(), await connect(), await connect(), await connect()]
    const whole = batchOf(2, 'x'.repeat(300_000))
    for (const peer of peers) peer.write(whole.subarray(0, 60_000))
    await until(() => server.pendingBytes > 100_000, { what: 'the limit is reached' })
    for (const peer of peers) peer.write(whole.subarray(60_000))
    for (const peer of peers) assert.deepEqual(await peer.read(SECOND_OK.length), SECOND_OK)
    assert.equal(handler.calls.length, 4)
    await until(() => server.pendingBytes === 0, { what: 'nothing is held' })
  })

  it('stops reading a peer that does not read its answers', async () => {
    const { connect, handler, server } = await open()
    const peer = await connect()
    peer.socket.pause()
    const many = Buffer.concat(Array.from({ length: 1_000 }, (_, i) => batchOf(i, 'x')))
    let written = 0
    let isFull = false
    // Until our own side is stuck too: 2,000,000 small calls would be 90 MB.
    while (!isFull && written < 2_000) {
      isFull = !peer.socket.write(many) && peer.socket.writableLength > 8_000_000
      written += 1
      await new Promise((resolve) => setImmediate(resolve))
    }
    assert.ok(isFull, 'the writer was held up')
    assert.ok(server.pendingBytes < 17_000_000, `${server.pendingBytes} octets are held`)
    const calls = handler.calls.length
    peer.socket.resume()
    await until(() => handler.calls.length >= Math.min(calls + 1, written * 1_000), {
      what: 'it goes on',
    })
  })

  it('closes a connection above maxConnections right after accept, and says so once', async () => {
    const { connect, port, server, log } = await open({ limits: { maxConnections: 2 } })
    const peers = [await connect(), await connect()]
    for (let i = 0; i < 3; i += 1) {
      const refused = closing.add(await RawPeer.connect(port))
      await refused.closed()
    }
    assert.equal(log.length, 1, log.join(''))
    assert.match(log[0] ?? '', /refused 127\.0\.0\.1:\d+: 2 connections are open/)
    peers[0]?.destroy()
    await until(() => server.connectionCount === 1, { what: 'one is gone' })
    await connect()
  })

  it('closes peers that it does not accept before it reads from them', async () => {
    for (const accepts of [() => false, () => Promise.resolve(false)]) {
      const { port, handler } = await startServer({ accepts }, closing.step)
      const peer = closing.add(await RawPeer.connect(port))
      peer.write(FIRST_APPEND)
      await peer.closed()
      assert.equal(handler.calls.length, 0)
    }
    const { connect } = await open({
      accepts: (address) => Promise.resolve(address === '127.0.0.1'),
    })
    await connect()
  })

  it('closes a peer whose admission fails', async () => {
    const accepts = () => Promise.reject(new Error('no names today'))
    const { port, log } = await startServer({ accepts }, closing.step)
    const peer = closing.add(await RawPeer.connect(port))
    await peer.closed()
    await until(() => log.length === 1, { what: 'a line in the log' })
    assert.match(log[0] ?? '', /no names today/)
  })

  it('leaves the events of a call alone when it reads the next', async () => {
    const { connect, handler } = await open()
    const peer = await connect()
    const bodies = ['a', 'b', 'c'].map((letter) => letter.repeat(50_000))
    for (const [index, body] of bodies.entries()) {
      peer.write(batchOf(index + 2, body))
      await peer.readFrame()
    }
    assert.deepEqual(handler.bodies, bodies)
  })

  it('takes 50 MB in one event', async () => {
    const { host, port, handler } = await open()
    const client = closing.add(new AvroRpcClient({ host, port }))
    const body = Buffer.alloc(50_000_000, 7)
    await client.appendBatch(EventBatch.of([{ body }]))
    assert.ok(handler.calls[0]?.batch.bodyAt(0).equals(body))
  })
})

describe('closing an AvroRpcServer', () => {
  const closing = new Closing()

  it('answers what was begun, takes nothing new, and resolves', async () => {
    const { server, handler, port } = await startServer({}, closing.step)
    const peer = closing.add(await RawPeer.connect(port))
    const idle = closing.add(await RawPeer.connect(port))
    handler.isManual = true
    peer.write(FIRST_APPEND)
    const call = await until(() => handler.calls[0], { what: 'the call' })
    const closed = server.close({ deadlineMs: 5_000 })
    peer.write(batchOf(2, 'late'))
    await idle.closed()
    idle.socket.end()
    await assert.rejects(RawPeer.connect(port))
    assert.equal(peer.hasEnded, false)
    call.answer.resolve()
    assert.deepEqual(await peer.read(FIRST_OK.length), FIRST_OK)
    await peer.closed()
    peer.socket.end()
    await closed
    assert.equal(handler.calls.length, 1)
    assert.equal(server.connectionCount, 0)
  })

  it('cuts off at the deadline what cannot be answered', async () => {
    const { server, handler, port } = await startServer({}, closing.step)
    const peer = closing.add(await RawPeer.connect(port))
    handler.isManual = true
    peer.write(FIRST_APPEND)
    const call = await until(() => handler.calls[0], { what: 'the call' })
    const { signal } = call.context
    await server.close({ deadlineMs: 20 })
    assert.equal(server.connectionCount, 0)
    assert.equal(signal.aborted, true)
    assert.equal(peer.received.length, 0)
  })

  it('does not wait for a peer that never closes its side', async () => {
    const { server, port } = await startServer({}, closing.step)
    const peer = closing.add(await RawPeer.connect(port))
    peer.write(FIRST_APPEND)
    await peer.read(FIRST_OK.length)
    const begun = performance.now()
    await server.close({ deadlineMs: 10_000 })
    assert.ok(performance.now() - begun < 3_000)
  })

  it('may be done twice, before it listens and after it failed to', async () => {
    const handler = { append: () => Promise.resolve(), appendBatch: () => Promise.resolve() }
    const first = new AvroRpcServer({ host: '127.0.0.1', port: 0, handler })
    const { port } = await first.listen()
    const second = new AvroRpcServer({ host: '127.0.0.1', port, handler })
    await assert.rejects(second.listen(), (error: unknown) => {
      assert.ok(error instanceof Error)
      assert.match(error.message, new RegExp(`Cannot listen on 127.0.0.1:${port}: .*EADDRINUSE`))
      assert.equal(Reflect.get(error, 'code'), 'MILLRACE_LIFECYCLE_START_FAILED')
      return true
    })
    await second.close({ deadlineMs: 100 })
    await Promise.all([first.close({ deadlineMs: 100 }), first.close({ deadlineMs: 100 })])
    await first.close({ deadlineMs: 100 })
    const never = new AvroRpcServer({ host: '127.0.0.1', port: 0, handler })
    await never.close({ deadlineMs: 100 })
    await assert.rejects(never.listen(), { code: 'MILLRACE_LIFECYCLE_STATE' })
  })
})
