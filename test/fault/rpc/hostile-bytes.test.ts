import assert from 'node:assert/strict'
import { AvroRpcClient } from '@millrace/rpc'
import { EventBatch } from '@millrace/event'
import {
  FIRST_APPEND,
  FIRST_OK,
  frame,
  hex,
  SECOND_BATCH,
  SECOND_OK,
  text,
} from '../../support/rpc/golden.js'
import { RawPeer } from '../../support/rpc/raw-peer.js'
import { Closing, startServer, type TestServer } from '../../support/rpc/test-server.js'
import { until } from '../../support/until.js'
import { connect as connectTls } from 'node:tls'

const HOSTILE: readonly (readonly [name: string, octets: Buffer])[] = [
  ['an HTTP request', Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')],
  ['an HTTP POST', Buffer.from('POST /batch HTTP/1.1\r\ncontent-length: 3\r\n\r\nabc')],
  ['an SSH banner', Buffer.from('SSH-2.0-OpenSSH_9.6\r\nmore and more\r\n')],
  ['a line of text', Buffer.from('hello, is this a log server?\n')],
  ['octets of 255', Buffer.alloc(100, 255)],
  ['octets of 0', Buffer.alloc(100)],
  ['a frame of no buffer', hex('00000001 00000000')],
  ['a frame of a negative number of buffers', hex('00000001 ffffffff')],
  ['a frame of 262,145 buffers', hex('00000001 00040001')],
  ['a frame of 2^31-1 buffers', hex('00000001 7fffffff')],
  ['a buffer of a negative length', hex('00000001 00000001 ffffffff')],
  ['a buffer of 2 GiB', hex('00000001 00000001 7fffffff')],
  ['a second buffer beyond the limit', hex('00000001 00000002 00000000 08000001')],
]

describe('hostile octets on a plain port', () => {
  const closing = new Closing()

  /** The server answers a well-behaved peer as before. */
  const goesOn = async ({ host, port, handler }: TestServer) => {
    const client = new AvroRpcClient({ host, port })
    const before = handler.calls.length
    await client.appendBatch(EventBatch.of([{ body: 'still there' }]))
    await client.close()
    assert.equal(handler.calls.length, before + 1)
  }

  for (const [name, octets] of HOSTILE) {
    it(`${name}: the connection is closed without a word, one line names the peer, others go on`, async () => {
      const started = await startServer({}, closing.step)
      const other = closing.add(await RawPeer.connect(started.port))
      other.write(FIRST_APPEND)
      await other.read(FIRST_OK.length)
      const peer = closing.add(await RawPeer.connect(started.port))
      const { localPort } = peer.socket
      peer.write(octets)
      await peer.closed()
      assert.equal(peer.received.length, 0)
      assert.equal(started.log.length, 1, started.log.join(''))
      assert.match(started.log[0] ?? '', new RegExp(`WARN .*closed 127.0.0.1:${localPort}: `))
      other.write(SECOND_BATCH)
      assert.deepEqual(await other.read(SECOND_OK.length), SECOND_OK)
      await goesOn(started)
      assert.equal(started.server.pendingBytes, 0)
    })
  }

  it('a TLS client gets its connection closed', async () => {
    const started = await startServer({}, closing.step)
    const socket = connectTls({ host: '127.0.0.1', port: started.port, rejectUnauthorized: false })
    await new Promise((resolve) => socket.once('error', resolve))
    await until(() => started.log.length === 1, { what: 'a line in the log' })
    assert.match(started.log[0] ?? '', /TLS/)
    await goesOn(started)
  })

  it('many of them: one line in the log for each kind, not one for each', async () => {
    const { port, log } = await startServer({}, closing.step)
    for (let i = 0; i < 30; i += 1) {
      const peer = closing.add(await RawPeer.connect(port))
      peer.write(hex('00000001 ffffffff'))
      await peer.closed()
    }
    assert.equal(log.length, 1)
  })

  it('after an established handshake: closed, and what was begun before is not answered by chance', async () => {
    const { port, handler, server } = await startServer({}, closing.step)
    const peer = closing.add(await RawPeer.connect(port))
    peer.write(FIRST_APPEND)
    await peer.read(FIRST_OK.length)
    handler.isManual = true
    peer.write(Buffer.concat([SECOND_BATCH, hex('00000003 ffffffff')]))
    await peer.closed()
    for (const call of handler.calls) call.answer.resolve()
    await until(() => server.pendingBytes === 0, { what: 'nothing is held' })
    assert.equal(peer.unread.length, 0)
  })

  it('lengths and counts inside a call that lie: an error, and the connection goes on', async () => {
    const { port, handler } = await startServer({}, closing.step)
    const peer = closing.add(await RawPeer.connect(port))
    peer.write(FIRST_APPEND)
    await peer.read(FIRST_OK.length)
    const batch = `00 ${text('appendBatch')}`
    const lies = [
      '04 000261', // two events announced, one there
      'feffffff0f', // 2^31 events
      'feffffffffffffffff01', // 2^62 events
      '02 00 7f', // a body of a negative length
      '02 02 7f', // a header of a negative length
      '02 00 feffffff0f', // a body of 2 GiB
      'ffffffffffffffffffffff01', // a count of more than ten octets
      '', // nothing
      '02 feffffff0f', // 2^31 headers
      '01 01', // a block of a negative size
    ]
    for (const [index, lie] of lies.entries()) {
      peer.write(frame(index, batch, lie))
      const { serial, message } = await peer.readFrame()
      assert.equal(serial, index)
      assert.equal(message.subarray(0, 3).toString('hex'), '000100', lie)
      assert.match(message.toString(), /java\.io\.EOFException|org\.apache\.avro\./)
    }
    for (const envelope of ['', '02', 'feffffff0f', '00 7f', '00 fe']) {
      peer.write(frame(1, envelope))
      assert.equal((await peer.readFrame()).message.subarray(0, 3).toString('hex'), '000100')
    }
    assert.equal(handler.calls.length, 1)
    peer.write(SECOND_BATCH)
    assert.deepEqual(await peer.read(SECOND_OK.length), SECOND_OK)
  })

  it('a frame cut at every octet: no call, no answer, nothing held', async () => {
    const { port, handler, server } = await startServer({}, closing.step)
    for (let cut = 1; cut < FIRST_APPEND.length; cut += 1) {
      const peer = await RawPeer.connect(port)
      peer.socket.end(FIRST_APPEND.subarray(0, cut))
      await peer.closed()
      assert.equal(peer.received.length, 0)
      peer.destroy()
    }
    await until(() => server.connectionCount === 0, { what: 'all are gone' })
    assert.equal(handler.calls.length, 0)
    assert.equal(server.pendingBytes, 0)
  })

  it('a conversation split at every octet is understood', async () => {
    const { port, handler } = await startServer({}, closing.step)
    const whole = Buffer.concat([FIRST_APPEND, SECOND_BATCH])
    const answers = Buffer.concat([FIRST_OK, SECOND_OK])
    for (let cut = 1; cut < whole.length; cut += 1) {
      const peer = await RawPeer.connect(port)
      await peer.writeParts([whole.subarray(0, cut), whole.subarray(cut)])
      assert.deepEqual(await peer.read(answers.length), answers)
      peer.destroy()
    }
    assert.equal(handler.calls.length, 2 * (whole.length - 1))
  })

  it('a claim of 128 MiB from many peers costs the memory of what they sent', async () => {
    const { port, server } = await startServer({}, closing.step)
    const before = process.memoryUsage()
    const head = hex('00000001 00000001 08000000')
    const peers = await Promise.all(
      Array.from({ length: 50 }, async () => closing.add(await RawPeer.connect(port))),
    )
    for (const peer of peers) peer.write(Buffer.concat([head, Buffer.alloc(1_000)]))
    await until(() => server.pendingBytes === 50_000, { what: 'all is there' })
    const after = process.memoryUsage()
    assert.ok(after.arrayBuffers - before.arrayBuffers < 50_000_000)
  })
})
