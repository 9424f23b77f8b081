import assert from 'node:assert/strict'
import { connect as connectTls } from 'node:tls'
import { attackedAgent } from '../../support/attacked-agent.js'
import {
  FIRST_APPEND,
  FIRST_OK,
  frame,
  handshake,
  hex,
  SECOND_BATCH,
  SECOND_OK,
  text,
} from '../../support/rpc/golden.js'
import { RawPeer } from '../../support/rpc/raw-peer.js'
import { Closing } from '../../support/rpc/test-server.js'
import { until } from '../../support/until.js'

/** Sent first on a connection: closed without a word. */
const HOSTILE: readonly (readonly [name: string, octets: Buffer])[] = [
  ['an HTTP request', Buffer.from('GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n')],
  ['an SSH banner', Buffer.from('SSH-2.0-OpenSSH_9.6\r\n')],
  ['lines of text', Buffer.from('hello, is this a log server?\n'.repeat(1_000))],
  ['octets of 0', Buffer.alloc(100_000)],
  ['octets of 255', Buffer.alloc(100_000, 255)],
  ['a zlib stream', hex('789c62606060646060600262edb655b71e1d092939f06ff2ff0b9f4cb952')],
  ['a frame of no buffer', hex('00000001 00000000')],
  ['a frame of -1 buffers', hex('00000001 ffffffff')],
  ['a frame of -2^31 buffers', hex('00000001 80000000')],
  ['a frame of 262,145 buffers', hex('00000001 00040001')],
  ['a frame of 2^31-1 buffers', hex('00000001 7fffffff')],
  ['a buffer of -1 octets', hex('00000001 00000001 ffffffff')],
  ['a buffer of 2^31-1 octets', hex('00000001 00000001 7fffffff')],
  ['a second buffer that goes beyond 128 MiB', hex('00000001 00000002 00000001 00 08000000')],
]

const APPEND_BATCH = `00 ${text('appendBatch')}`

/** Parameters of `appendBatch`: answered with an error, and the connection goes on. */
const LIES: readonly (readonly [name: string, parameter: string])[] = [
  ['no parameter', ''],
  ['two events announced, one there', '04 000261 00'],
  ['2^31 events', 'feffffff0f 000261 00'],
  ['2^62 events', 'feffffffffffffffff01 000261 00'],
  ['-2^63 events', 'ffffffffffffffffff01 02 000261 00'],
  ['a count of eleven octets', 'ffffffffffffffffffffff01'],
  ['a body of -64 octets', '02 00 7f 00'],
  ['a body of 2^31 octets', '02 00 feffffff0f 61 00'],
  ['a body of 2^62 octets', '02 00 feffffffffffffffff01 61 00'],
  ['a header name of -64 octets', '02 02 7f 00'],
  ['a header value of 2^31 octets', '02 02 026b feffffff0f 00'],
  ['2^31 headers', '02 feffffff0f 026b0276 00 0261 00'],
  ['-2^62 headers', '02 ffffffffffffffff7f 02 026b0276 00 0261 00'],
]

/** Envelopes in front of a message name that cannot be: answered with an error. */
const ENVELOPES: readonly (readonly [name: string, octets: string])[] = [
  ['no octet', ''],
  ['metadata that ends early', '02'],
  ['metadata of 2^31 entries', 'feffffff0f'],
  ['a message name of -64 octets', '00 7f'],
  ['a message name of 2^31 octets', '00 feffffff0f'],
  ['a message that is not known', `00 ${text('nope')}`],
]

describe('hostile octets sent to an agent', () => {
  const agent = attackedAgent()
  const closing = new Closing()
  const connect = async () => closing.add(await RawPeer.connect(agent.port))
  const established = async () => {
    const peer = await connect()
    peer.write(FIRST_APPEND)
    assert.deepEqual(await peer.read(FIRST_OK.length), FIRST_OK)
    return peer
  }

  for (const [name, octets] of HOSTILE) {
    it(`${name}: the peer is told nothing and its connection is closed`, async () => {
      const peer = await connect()
      peer.write(octets)
      await peer.closed()
      assert.equal(peer.received.length, 0)
      const later = await established()
      later.write(octets)
      await later.closed()
      assert.equal(later.unread.length, 0)
    })
  }

  it('a TLS client: its connection is closed before a handshake', async () => {
    const socket = connectTls({ host: '127.0.0.1', port: agent.port, rejectUnauthorized: false })
    const error = await new Promise<Error>((resolve) => void socket.once('error', resolve))
    assert.match(String(error), /ECONNRESET|disconnected/)
  })

  it('an HTTP client: its request fails', async () => {
    await assert.rejects(fetch(`http://127.0.0.1:${agent.port}/`, { method: 'POST', body: 'x' }))
  })

  for (const [name, parameter] of LIES) {
    it(`${name}: the call is answered with an error, and the next one with OK`, async () => {
      const peer = await established()
      peer.write(frame(7, APPEND_BATCH, parameter))
      const { serial, message } = await peer.readFrame()
      assert.equal(serial, 7)
      assert.equal(message.subarray(0, 3).toString('hex'), '000100')
      assert.match(message.toString(), /java\.io\.EOFException|org\.apache\.avro\./)
      peer.write(SECOND_BATCH)
      assert.deepEqual(await peer.read(SECOND_OK.length), SECOND_OK)
    })
  }

  it('envelopes that cannot be are answered with an error, and the connection goes on', async () => {
    const peer = await established()
    for (const [name, octets] of ENVELOPES) {
      peer.write(frame(3, octets))
      const { message } = await peer.readFrame()
      assert.equal(message.subarray(0, 3).toString('hex'), '000100', name)
    }
    peer.write(SECOND_BATCH)
    assert.deepEqual(await peer.read(SECOND_OK.length), SECOND_OK)
  })

  it('a call in 262,144 buffers of one octet or none is read as one', async () => {
    const peer = await connect()
    const message = hex(`${handshake()} ${APPEND_BATCH} 02 000261 00`)
    const buffers = Buffer.alloc(8 + 262_144 * 4 + message.length)
    buffers.writeInt32BE(1, 0)
    buffers.writeInt32BE(262_144, 4)
    let at = 8
    for (const octet of message) {
      at = buffers.writeInt32BE(1, at)
      at = buffers.writeUInt8(octet, at)
    }
    peer.write(buffers)
    assert.deepEqual(await peer.read(FIRST_OK.length), FIRST_OK)
  })

  it('200,000 events in blocks of their own, more than a transaction takes, are answered FAILED', async () => {
    const peer = await established()
    const blocks = Buffer.alloc(200_000 * 3 + 1)
    for (let i = 0; i < 200_000; i += 1) blocks[i * 3] = 2
    peer.write(frame(9, APPEND_BATCH, blocks.toString('hex')))
    assert.equal((await peer.readFrame()).message.toString('hex'), '000002')
  })

  it('a frame cut at every octet: nothing is answered, and nothing of it is stored', async () => {
    const call = frame(1, handshake(), APPEND_BATCH, `02 00 ${text('never whole')} 00`)
    for (let cut = 1; cut < call.length; cut += 1) {
      const peer = await connect()
      peer.write(call.subarray(0, cut))
      if (cut % 2 === 0) peer.socket.end()
      else peer.socket.resetAndDestroy()
      await peer.closed()
      assert.equal(peer.received.length, 0)
      peer.destroy()
    }
    assert.equal(agent.process.stored().get('never whole'), undefined)
  })

  it('a frame split at every octet is answered as one that is whole', async () => {
    const call = frame(4, APPEND_BATCH, `02 00 ${text('split')} 00`)
    const peer = await established()
    for (let cut = 1; cut < call.length; cut += 1) {
      await peer.writeParts([call.subarray(0, cut), call.subarray(cut)])
      assert.equal((await peer.readFrame()).message.toString('hex'), '000000')
    }
    await until(() => agent.process.stored().get('split') === call.length - 1, {
      what: 'each of them is stored once',
    })
  })

  it('names the peer and what was wrong, in one line for each kind of trouble and not for each peer', async () => {
    const lines = agent.process.log
      .split('\n')
      .filter((line) => / WARN .*(closed|answered) /.test(line))
    assert.match(lines[0] ?? '', /closed 127\.0\.0\.1:\d+: .*\(it looks like HTTP\)/)
    assert.match(agent.process.log, /answered 127\.0\.0\.1:\d+ with an error: java\.io\.EOF/)
    assert.ok(lines.length >= 1 && lines.length <= 12, lines.join('\n'))
  })
})
