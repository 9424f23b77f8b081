import assert from 'node:assert/strict'
import { EventBatch } from '@millrace/event'
import { AvroRpcClient, type AvroRpcClientOptions } from '@millrace/rpc'
import { MillraceError } from '@millrace/runtime'
import {
  clientAnswer,
  errorAnswer,
  FIRST_APPEND,
  FIRST_OK,
  frame,
  handshake,
  HASH,
  hex,
  noneAnswer,
  PROTOCOL,
  SECOND_BATCH,
  SECOND_EOF,
  SECOND_FAILED,
  SECOND_OK,
  SECOND_UNKNOWN,
} from '../../support/rpc/golden.js'
import { RawServer } from '../../support/rpc/raw-peer.js'
import { Closing } from '../../support/rpc/test-server.js'

const HELLO = EventBatch.of([{ headers: { k: 'v' }, body: 'hello' }])
const TWO = EventBatch.of([{ body: 'a' }, { headers: { k: 'v' }, body: 'b' }])

describe('a client, octet by octet as Flume 1.11', () => {
  const closing = new Closing()
  const open = async (options: Partial<AvroRpcClientOptions> = {}) => {
    const server = closing.add(await RawServer.listen())
    const client = closing.add(
      new AvroRpcClient({ host: '127.0.0.1', port: server.port, ...options }),
    )
    await client.connect()
    return { client, peer: await server.accept() }
  }
  const established = async (options: Partial<AvroRpcClientOptions> = {}) => {
    const { client, peer } = await open(options)
    const first = client.append(HELLO)
    await peer.read(FIRST_APPEND.length)
    peer.write(FIRST_OK)
    await first
    return { client, peer }
  }

  it('sends append with the handshake and appendBatch without', async () => {
    const { client, peer } = await open()
    const first = client.append(HELLO)
    assert.deepEqual(await peer.read(FIRST_APPEND.length), FIRST_APPEND)
    peer.write(FIRST_OK)
    await first
    const second = client.appendBatch(TWO)
    assert.deepEqual(await peer.read(SECOND_BATCH.length), SECOND_BATCH)
    peer.write(SECOND_OK)
    await second
    assert.equal(peer.unread.length, 0)
  })

  it('sends the call again with the protocol, once, when the answer is NONE', async () => {
    const { client, peer } = await open()
    const first = client.append(HELLO)
    await peer.readFrame()
    const foreign = '00112233445566778899aabbccddeeff'
    peer.write(frame(1, `04 02 ec14 ${PROTOCOL} 02 ${foreign} 00`))
    const again = await peer.readFrame()
    const protocol = hex(PROTOCOL).toString()
    const expected = hex(
      handshake(HASH, foreign, protocol),
      '00 0c617070656e64 02026b027600 0a68656c6c6f',
    )
    assert.equal(again.serial, 2)
    assert.equal(again.message.toString('hex'), expected.toString('hex'))
    peer.write(frame(2, '00000000', '00', '0000'))
    await first
    const second = client.appendBatch(TWO)
    assert.equal((await peer.readFrame()).serial, 3)
    peer.write(frame(3, '', '00', '0000'))
    await second
  })

  it('gives up when the answer is NONE twice', async () => {
    const { client, peer } = await open()
    const first = client.append(HELLO)
    await peer.readFrame()
    peer.write(noneAnswer(1))
    await peer.readFrame()
    peer.write(noneAnswer(2))
    await assert.rejects(first, { code: 'MILLRACE_RPC_HANDSHAKE' })
    assert.equal(client.isActive, false)
  })

  it('goes on when the answer is CLIENT', async () => {
    const { client, peer } = await open()
    const first = client.append(HELLO)
    await peer.readFrame()
    peer.write(clientAnswer(1))
    await first
    const second = client.appendBatch(TWO)
    assert.deepEqual(await peer.read(SECOND_BATCH.length), SECOND_BATCH)
    peer.write(SECOND_OK)
    await second
  })

  it('takes answers however they are cut into buffers and chunks', async () => {
    for (const cut of [
      [frame(1, '00000000 00 0000')],
      [frame(1, '0000', '', '0000 00', '00', '00', '')],
      [...FIRST_OK].map((octet) => Buffer.of(octet)),
    ]) {
      const { client, peer } = await open()
      const first = client.append(HELLO)
      await peer.readFrame()
      await peer.writeParts(cut)
      await first
    }
  })

  for (const [answer, details, message] of [
    [SECOND_FAILED, { status: 'FAILED' }, /^Avro RPC call returned Status: FAILED$/],
    [SECOND_UNKNOWN, { status: 'UNKNOWN' }, /^Avro RPC call returned Status: UNKNOWN$/],
    [
      SECOND_EOF,
      { status: 'ERROR', remoteMessage: 'java.io.EOFException' },
      /^Exception thrown from remote handler: java.io.EOFException$/,
    ],
    [
      errorAnswer(2, 'NullPointer \u{1F4A5}'),
      { status: 'ERROR', remoteMessage: 'NullPointer \u{1F4A5}' },
      /NullPointer/,
    ],
  ] as const) {
    it(`is dead after the answer ${message.source}`, async () => {
      const { client, peer } = await established()
      const second = client.appendBatch(TWO)
      await peer.readFrame()
      peer.write(answer)
      const error = await second.then(
        () => undefined,
        (thrown: unknown) => thrown,
      )
      assert.ok(MillraceError.is(error))
      assert.equal(error.code, 'MILLRACE_RPC_REMOTE_FAILED')
      assert.equal(error.retryable, true)
      assert.deepEqual(error.details, details)
      assert.match(error.message, message)
      assert.equal(client.isActive, false)
      await assert.rejects(client.appendBatch(TWO), { code: 'MILLRACE_RPC_CLOSED' })
    })
  }

  it('sends nothing for an empty batch', async () => {
    const { client, peer } = await established()
    await client.appendBatch(EventBatch.empty())
    const next = client.appendBatch(TWO)
    assert.deepEqual(await peer.read(SECOND_BATCH.length), SECOND_BATCH)
    peer.write(SECOND_OK)
    await next
  })

  it('splits what exceeds the batch size into calls, each after the answer of the one before', async () => {
    const { client, peer } = await established({ batchSize: 2 })
    const whole = client.appendBatch(EventBatch.of(['a', 'b', 'c'].map((body) => ({ body }))))
    const first = await peer.readFrame()
    assert.equal(first.buffers[1]?.toString('hex'), '0400026100026200')
    assert.equal(peer.unread.length, 0)
    peer.write(SECOND_OK)
    const second = await peer.readFrame()
    assert.equal(second.buffers[1]?.toString('hex'), '0200026300')
    peer.write(frame(3, '', '00', '0000'))
    await whole
  })

  it('refuses an append of more than one event without a word to the server', async () => {
    const { client, peer } = await established()
    await assert.rejects(client.append(TWO), RangeError)
    assert.equal(client.isActive, true)
    assert.equal(peer.unread.length, 0)
  })
})
