import assert from 'node:assert/strict'
import { constants, createDeflate, inflateSync } from 'node:zlib'
import { EventBatch } from '@millrace/event'
import { AvroRpcClient } from '@millrace/rpc'
import {
  DEFLATED,
  FIRST_APPEND,
  FIRST_OK,
  SECOND_BATCH,
  SECOND_OK,
} from '../../support/rpc/golden.js'
import { RawPeer, RawServer } from '../../support/rpc/raw-peer.js'
import { Closing, startServer } from '../../support/rpc/test-server.js'
import { until } from '../../support/until.js'

/** Words in an order that no pattern has, which a higher level packs better. */
const TEXT = Array.from({ length: 4_000 }, (_, n) => `word${(n * n * 31) % 977}`).join(' ')

/** What the octets so far inflate to; nothing while they end inside a block. */
function inflate(bytes: Buffer): Buffer {
  try {
    return inflateSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH })
  } catch (error) {
    assert.match(String(error), /unexpected end of file/)
    return Buffer.alloc(0)
  }
}

describe('deflate, with a session recorded from Flume 1.11', () => {
  const closing = new Closing()

  it("a server reads the Java client's octets and answers so that they inflate to Java's", async () => {
    const { port, handler, log } = await startServer({ compression: 'deflate' }, closing.step)
    const peer = closing.add(await RawPeer.connect(port))
    peer.write(DEFLATED.firstCall)
    await until(() => inflate(peer.received).equals(FIRST_OK), { what: 'the first answer' })
    assert.equal(peer.received.subarray(-4).toString('hex'), '0000ffff')
    peer.write(DEFLATED.secondCall)
    const both = Buffer.concat([FIRST_OK, SECOND_OK])
    await until(() => inflate(peer.received).equals(both), { what: 'the second answer' })
    assert.deepEqual(handler.bodies, ['hello', 'a', 'b'])
    peer.socket.end(DEFLATED.close)
    await peer.closed()
    // The stream ends with its own trailer.
    assert.deepEqual(inflateSync(peer.received), both)
    assert.deepEqual(log, [])
  })

  it("a client sends what inflates to Java's octets and reads the Java server's", async () => {
    const server = closing.add(await RawServer.listen())
    const client = closing.add(
      new AvroRpcClient({ host: '127.0.0.1', port: server.port, compression: 'deflate' }),
    )
    const first = client.append(EventBatch.of([{ headers: { k: 'v' }, body: 'hello' }]))
    const peer = await server.accept()
    await until(() => inflate(peer.received).equals(FIRST_APPEND), {
      what: 'the first call',
    })
    assert.equal(peer.received[0], 0x78)
    peer.write(DEFLATED.firstAnswer)
    await first
    const second = client.appendBatch(
      EventBatch.of([{ body: 'a' }, { headers: { k: 'v' }, body: 'b' }]),
    )
    const both = Buffer.concat([FIRST_APPEND, SECOND_BATCH])
    await until(() => inflate(peer.received).equals(both), { what: 'the second call' })
    peer.write(DEFLATED.secondAnswer)
    await second
    const closed = client.close()
    await peer.closed()
    assert.deepEqual(inflateSync(peer.received), both)
    peer.socket.end()
    await closed
  })

  it('a peer that goes without a trailer, or with octets behind it, is no trouble', async () => {
    const { server, port, handler, log } = await startServer(
      { compression: 'deflate' },
      closing.step,
    )
    const abrupt = closing.add(await RawPeer.connect(port))
    abrupt.write(DEFLATED.firstCall)
    await until(() => handler.calls.length === 1, { what: 'the call' })
    abrupt.socket.end()
    await abrupt.closed()
    const talkative = closing.add(await RawPeer.connect(port))
    talkative.write(
      Buffer.concat([DEFLATED.firstCall, DEFLATED.secondCall, DEFLATED.close, Buffer.alloc(100)]),
    )
    talkative.socket.end()
    await talkative.closed()
    assert.equal(handler.calls.length, 3)
    await until(() => server.connectionCount === 0, { what: 'both are gone' })
    assert.deepEqual(log, [])
  })

  for (const level of [0, 1, 6, 9]) {
    it(`level ${level} of either side is read by the other`, async () => {
      const { host, port, handler } = await startServer({ compression: 'deflate' }, closing.step)
      const client = closing.add(
        new AvroRpcClient({ host, port, compression: 'deflate', compressionLevel: level }),
      )
      const body = Buffer.alloc(300_000, 'abcdefg')
      await client.appendBatch(EventBatch.of([{ body }, { body: 'end' }]))
      await client.appendBatch(EventBatch.of([{ body: 'more' }]))
      assert.deepEqual(handler.bodies, [body.toString(), 'end', 'more'])
    })
  }

  it('a client compresses as its level says', async () => {
    const sizes: number[] = []
    for (const level of [0, 1, 9]) {
      const server = closing.add(await RawServer.listen())
      const client = closing.add(
        new AvroRpcClient({
          host: '127.0.0.1',
          port: server.port,
          compression: 'deflate',
          compressionLevel: level,
        }),
      )
      const call = client.append(EventBatch.of([{ body: TEXT }]))
      call.catch(() => {})
      const peer = await server.accept()
      await until(() => inflate(peer.received).length > TEXT.length, { what: 'the call' })
      sizes.push(peer.received.length)
      client.close().catch(() => {})
    }
    const [none = 0, fast = 0, best = 0] = sizes
    assert.ok(none > TEXT.length && fast < none && best < fast, sizes.join(' > '))
  })

  it('a mismatch fails cleanly in both directions and hangs neither', async () => {
    const plain = await startServer({}, closing.step)
    const deflating = closing.add(
      new AvroRpcClient({ host: plain.host, port: plain.port, compression: 'deflate' }),
    )
    await assert.rejects(deflating.appendBatch(EventBatch.of([{ body: 'x' }])), {
      code: 'MILLRACE_RPC_CLOSED',
    })
    const compressed = await startServer({ compression: 'deflate' }, closing.step)
    const client = closing.add(new AvroRpcClient({ host: compressed.host, port: compressed.port }))
    await assert.rejects(client.appendBatch(EventBatch.of([{ body: 'x' }])), {
      code: 'MILLRACE_RPC_CLOSED',
    })
    assert.equal(plain.log.length, 1, plain.log.join(''))
    assert.equal(compressed.log.length, 1, compressed.log.join(''))
    assert.match(compressed.log[0] ?? '', /closed 127\.0\.0\.1:\d+/)
  })

  it("a client fails cleanly on the empty stream with which Java's source refuses what does not inflate", async () => {
    const server = closing.add(await RawServer.listen())
    const client = closing.add(
      new AvroRpcClient({ host: '127.0.0.1', port: server.port, compression: 'deflate' }),
    )
    const call = client.appendBatch(EventBatch.of([{ body: 'x' }]))
    const peer = await server.accept()
    peer.socket.end(Buffer.from('789c030000000001', 'hex'))
    await assert.rejects(call, { code: 'MILLRACE_RPC_CLOSED' })
  })

  it('a small chunk that inflates to much does not get past the limit of a frame', async () => {
    const { server, port, log } = await startServer(
      { compression: 'deflate', limits: { maxFrameBytes: 1_000_000 } },
      closing.step,
    )
    const peer = closing.add(await RawPeer.connect(port))
    const deflate = createDeflate({ level: 9 })
    deflate.pipe(peer.socket)
    const head = Buffer.from('000000010000000304000000'.padEnd(24, '0'), 'hex')
    deflate.write(head)
    for (let i = 0; i < 30; i += 1) deflate.write(Buffer.alloc(1_000_000))
    deflate.end()
    await peer.closed()
    await until(() => server.pendingBytes === 0, { what: 'nothing is held' })
    assert.equal(log.length, 1)
    assert.match(log[0] ?? '', /exceeds the limit/)
  })
})
