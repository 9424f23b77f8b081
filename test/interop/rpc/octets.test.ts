import assert from 'node:assert/strict'
import { deflateSync, constants } from 'node:zlib'
import { EventBatch } from '@millrace/event'
import { AvroRpcClient } from '@millrace/rpc'
import {
  FIRST_APPEND,
  FIRST_OK,
  frame,
  HASH,
  hex,
  PROTOCOL,
  SECOND_BATCH,
} from '../../support/rpc/golden.js'
import { RawPeer, RawServer } from '../../support/rpc/raw-peer.js'
import { Closing, startServer } from '../../support/rpc/test-server.js'

const HELLO = EventBatch.of([{ headers: { k: 'v' }, body: 'hello' }])
const TWO = EventBatch.of([{ body: 'a' }, { headers: { k: 'v' }, body: 'b' }])

/** The two answers that carry the protocol, octet by octet as Java writes them. */
const NONE = hex('00000001 00000001 0000054c', `04 02 ec14 ${PROTOCOL} 02 ${HASH} 00`)
const CLIENT = hex(
  '00000001 00000003 0000054c',
  `02 02 ec14 ${PROTOCOL} 02 ${HASH} 00`,
  '00000001 00 00000002 0000',
)

/** Protocol of the clients of Flume before it was Apache's, which has other messages. */
const OLD_PROTOCOL_HASH = '84f26a5a74af5726d8bc68105669c996'

/** How zlib and jzlib begin their streams, which tells the level and nothing else. */
const ZLIB_BEGINNINGS = ['7801', '785e', '789c', '78da']

/** One zlib stream of some octets, flushed and not ended, with a beginning of choice. */
function deflated(octets: Buffer, beginning: string): Buffer {
  const stream = deflateSync(octets, { finishFlush: constants.Z_SYNC_FLUSH })
  hex(beginning).copy(stream)
  return stream
}

describe('octets of the wire', () => {
  const closing = new Closing()
  const askServer = async (request: Buffer, length: number) => {
    const { port, handler } = await startServer({}, closing.step)
    const peer = closing.add(await RawPeer.connect(port))
    peer.write(request)
    return { answer: await peer.read(length), peer, handler }
  }
  const askClient = async () => {
    const server = closing.add(await RawServer.listen())
    const client = closing.add(new AvroRpcClient({ host: '127.0.0.1', port: server.port }))
    const call = client.append(HELLO)
    const peer = await server.accept()
    assert.deepEqual(await peer.read(FIRST_APPEND.length), FIRST_APPEND)
    return { call, client, peer }
  }

  it('of NONE are written by a server and read by a client', async () => {
    const unknown = hex('00000001 00000001 00000025', `${'11'.repeat(16)} 00 ${HASH} 0200 00 00`)
    const { answer, handler } = await askServer(unknown, NONE.length)
    assert.deepEqual(answer, NONE)
    assert.equal(handler.calls.length, 0)
    const { call, peer } = await askClient()
    peer.write(NONE)
    assert.equal((await peer.readFrame()).serial, 2)
    peer.write(hex('00000002 00000003 00000004 00000000 00000001 00 00000002 0000'))
    await call
  })

  it('of CLIENT are written by a server and read by a client', async () => {
    const guess = Buffer.from(FIRST_APPEND)
    guess.fill(0x22, 12 + 17, 12 + 33)
    const { answer, handler } = await askServer(guess, CLIENT.length)
    assert.deepEqual(answer, CLIENT)
    assert.deepEqual(handler.bodies, ['hello'])
    const { call, peer } = await askClient()
    peer.write(CLIENT)
    await call
  })

  it('of a ping are answered by a server, before and after the handshake', async () => {
    const first = hex('00000001 00000001 00000025', `${HASH} 00 ${HASH} 0200 00 00`)
    const answer = hex('00000001 00000001 00000004 00000000')
    const { answer: got, peer, handler } = await askServer(first, answer.length)
    assert.deepEqual(got, answer)
    peer.write(hex('00000002 00000001 00000002 00 00'))
    assert.deepEqual(await peer.read(12), hex('00000002 00000001 00000000'))
    assert.equal(handler.calls.length, 0)
  })

  it('of the hash of a protocol that is older than Apache’s are answered NONE', async () => {
    const request = frame(
      1,
      `${OLD_PROTOCOL_HASH} 00 ${OLD_PROTOCOL_HASH} 0200`,
      '00 0c617070656e64',
    )
    const { answer, handler } = await askServer(request, NONE.length)
    assert.deepEqual(answer, NONE)
    assert.equal(handler.calls.length, 0)
  })

  for (const [what, answer] of [
    ['a handshake in front of FAILED, which would read as OK', '00000000 00 0002'],
    ['one octet behind OK', '00 0000 00'],
    ['one octet behind an error', '01 00 02 78 00'],
  ] as const) {
    it(`of ${what}, on an established connection, are no answer to a client`, async () => {
      const { call, client, peer } = await askClient()
      peer.write(FIRST_OK)
      await call
      const second = client.appendBatch(TWO)
      await peer.read(SECOND_BATCH.length)
      peer.write(frame(2, answer))
      await assert.rejects(second, { code: 'MILLRACE_RPC_CLOSED' })
      assert.equal(client.isActive, false)
    })
  }

  for (const beginning of ZLIB_BEGINNINGS) {
    it(`of a zlib stream that begins with ${beginning} are read by both`, async () => {
      const { port, handler } = await startServer({ compression: 'deflate' }, closing.step)
      const peer = closing.add(await RawPeer.connect(port))
      peer.write(deflated(FIRST_APPEND, beginning))
      await peer.read(1)
      assert.deepEqual(handler.bodies, ['hello'])
      const server = closing.add(await RawServer.listen())
      const client = closing.add(
        new AvroRpcClient({ host: '127.0.0.1', port: server.port, compression: 'deflate' }),
      )
      const call = client.append(HELLO)
      const served = await server.accept()
      served.write(deflated(FIRST_OK, beginning))
      await served.read(1)
      await call
    })
  }
})
