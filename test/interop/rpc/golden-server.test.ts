import assert from 'node:assert/strict'
import { ChannelError } from '@millrace/runtime'
import {
  clientAnswer,
  errorAnswer,
  FIRST_APPEND,
  FIRST_OK,
  FLUME_1_2_HASH,
  frame,
  HASH,
  handshake,
  hex,
  noneAnswer,
  PROTOCOL,
  SECOND_BATCH,
  SECOND_EOF,
  SECOND_FAILED,
  SECOND_OK,
  text,
} from '../../support/rpc/golden.js'
import { RawPeer } from '../../support/rpc/raw-peer.js'
import { Closing, startServer } from '../../support/rpc/test-server.js'

const UNKNOWN_HASH = '00112233445566778899aabbccddeeff'
const APPEND = '00 0c617070656e64'
const EVENT = '02026b027600 0a68656c6c6f'

describe('a server, octet by octet as Flume 1.11', () => {
  const closing = new Closing()
  const open = async () => {
    const started = await startServer({}, closing.step)
    const peer = closing.add(await RawPeer.connect(started.port))
    const talk = async (request: Buffer, answer: Buffer) => {
      peer.write(request)
      assert.equal((await peer.read(answer.length)).toString('hex'), answer.toString('hex'))
    }
    return { ...started, peer, talk }
  }

  it('answers append and appendBatch on one connection, the handshake once', async () => {
    const { talk, handler } = await open()
    await talk(FIRST_APPEND, FIRST_OK)
    await talk(SECOND_BATCH, SECOND_OK)
    assert.deepEqual(handler.bodies, ['hello', 'a', 'b'])
    assert.deepEqual(
      handler.calls.map(({ name }) => name),
      ['append', 'appendBatch'],
    )
    assert.deepEqual({ ...handler.calls[1]?.batch.headersAt(1) }, { k: 'v' })
  })

  it('answers FAILED to a batch whatever the reason', async () => {
    for (const error of [new ChannelError('MILLRACE_CHANNEL_FULL', 'full'), new Error('other')]) {
      const { talk, handler } = await open()
      await talk(FIRST_APPEND, FIRST_OK)
      handler.decide = () => {
        throw error
      }
      await talk(SECOND_BATCH, SECOND_FAILED)
    }
  })

  it('answers a handler that throws in place of rejecting as one that rejects', async () => {
    const { talk, handler } = await open()
    await talk(FIRST_APPEND, FIRST_OK)
    handler.appendBatch = () => {
      throw new Error('no luck')
    }
    await talk(SECOND_BATCH, SECOND_FAILED)
  })

  it('answers FAILED to an append that a channel refuses', async () => {
    const { talk, handler } = await open()
    handler.decide = () => {
      throw new ChannelError('MILLRACE_CHANNEL_FULL', 'full')
    }
    await talk(FIRST_APPEND, frame(1, '00000000', '00', '0002'))
  })

  it('answers a system error to an append that fails otherwise', async () => {
    const { talk, handler } = await open()
    handler.decide = () => {
      throw new Error('no luck')
    }
    await talk(FIRST_APPEND, frame(1, '00000000', '00', `0100 ${text('Error: no luck')}`))
  })

  it('answers NONE to an unknown hash, does not run the call, and takes it when it comes again', async () => {
    const { talk, handler } = await open()
    const first = frame(1, handshake(UNKNOWN_HASH), `${APPEND} ${EVENT}`)
    assert.equal(noneAnswer(1).length, 8 + 4 + 1356)
    await talk(first, noneAnswer(1))
    assert.equal(handler.calls.length, 0)
    const again = frame(2, handshake(UNKNOWN_HASH, HASH, hex(PROTOCOL).toString()), APPEND, EVENT)
    await talk(again, frame(2, '00000000', '00', '0000'))
    assert.deepEqual(handler.bodies, ['hello'])
  })

  it('remembers a protocol that it was told, for later connections', async () => {
    const { talk, port } = await open()
    const told = frame(1, handshake(UNKNOWN_HASH, HASH, hex(PROTOCOL).toString()), APPEND, EVENT)
    await talk(told, FIRST_OK)
    const later = closing.add(await RawPeer.connect(port))
    later.write(frame(1, handshake(UNKNOWN_HASH), APPEND, EVENT))
    assert.deepEqual(await later.read(FIRST_OK.length), FIRST_OK)
  })

  it('answers CLIENT when only its own hash is guessed wrong, and runs the call', async () => {
    const { talk, handler } = await open()
    const request = frame(1, handshake(HASH, UNKNOWN_HASH), `${APPEND} ${EVENT}`)
    await talk(request, clientAnswer(1))
    assert.deepEqual(handler.bodies, ['hello'])
    await talk(SECOND_BATCH, SECOND_OK)
  })

  it("knows the hash of Flume 1.2 and takes avsc's null metadata", async () => {
    const { talk } = await open()
    const request = frame(1, `${FLUME_1_2_HASH} 00 ${HASH} 00`, `${APPEND} ${EVENT}`)
    await talk(request, FIRST_OK)
  })

  it('takes handshake metadata and call metadata that hold something, in both forms of blocks', async () => {
    const { talk, handler } = await open()
    const map = `02 ${text('a')} 04 0102 00`
    const negative = `01 0a ${text('a')} 04 0102 00`
    const request = frame(1, `${HASH} 00 ${HASH} 02 ${map}`, `${negative} 0c617070656e64 ${EVENT}`)
    await talk(request, FIRST_OK)
    assert.deepEqual(handler.bodies, ['hello'])
  })

  it('answers a ping on a new and on an established connection', async () => {
    const { talk, handler } = await open()
    await talk(frame(0, `${HASH} 00 ${HASH} 0200`, '00 00'), frame(0, '00000000'))
    await talk(frame(7, '00 00'), frame(7, ''))
    await talk(SECOND_BATCH, SECOND_OK)
    assert.equal(handler.calls.length, 1)
  })

  it('answers an unknown message with an error and goes on', async () => {
    const { talk } = await open()
    await talk(FIRST_APPEND, FIRST_OK)
    const message = 'org.apache.avro.AvroRuntimeException: No such remote message: nope'
    await talk(frame(5, `00 ${text('nope')}`), errorAnswer(5, message))
    await talk(SECOND_BATCH, SECOND_OK)
  })

  it('answers a payload that is too short with EOFException and goes on', async () => {
    const { talk, handler } = await open()
    await talk(FIRST_APPEND, FIRST_OK)
    await talk(frame(2, '00 16617070656e644261746368', '04 000261 02026b02'), SECOND_EOF)
    await talk(SECOND_BATCH, SECOND_OK)
    assert.deepEqual(handler.bodies, ['hello', 'a', 'b'])
  })

  it('answers a second handshake with EOFException and goes on', async () => {
    const { talk } = await open()
    await talk(FIRST_APPEND, FIRST_OK)
    await talk(frame(2, handshake(), APPEND, EVENT), SECOND_EOF)
    await talk(SECOND_BATCH, SECOND_OK)
  })

  it('takes the handshake of the first of eleven calls at once, and answers EOFException to the others', async () => {
    const { peer, handler } = await open()
    const calls = Array.from({ length: 11 }, (_, i) =>
      frame(i + 1, `${handshake()} ${APPEND}`, EVENT),
    )
    peer.write(Buffer.concat(calls))
    const first = await peer.readFrame()
    assert.equal(first.message.toString('hex'), '00000000000000')
    for (let serial = 2; serial <= 11; serial += 1) {
      const answer = await peer.readFrame()
      assert.equal(answer.serial, serial)
      assert.deepEqual(frame(2, ...answer.buffers.map((part) => part.toString('hex'))), SECOND_EOF)
    }
    assert.deepEqual(handler.bodies, ['hello'])
  })

  it('answers a call without a handshake, and garbage in its place, with EOFException behind an empty one', async () => {
    const { talk, handler } = await open()
    await talk(SECOND_BATCH, SECOND_EOF)
    await talk(frame(2, 'ff'.repeat(40)), SECOND_EOF)
    assert.equal(handler.calls.length, 0)
    await talk(FIRST_APPEND, FIRST_OK)
  })

  it('takes an empty batch and arrays of several blocks, negative counts included', async () => {
    const { talk, handler } = await open()
    await talk(FIRST_APPEND, FIRST_OK)
    await talk(frame(2, '00 16617070656e644261746368', '00'), SECOND_OK)
    assert.equal(handler.calls[1]?.batch.size, 0)
    const blocks = `02 000261 01 06 000262 00`
    await talk(frame(2, '00 16617070656e644261746368', blocks), SECOND_OK)
    assert.deepEqual(handler.bodies, ['hello', 'a', 'b'])
  })

  it('takes a request however it is cut into buffers, empty ones included', async () => {
    const { talk, handler } = await open()
    const whole = `${handshake()} ${APPEND} ${EVENT}`.replaceAll(' ', '')
    const cut = [whole.slice(0, 10), '', whole.slice(10, 12), whole.slice(12), '']
    await talk(frame(1, ...cut), FIRST_OK)
    const octets = [...hex('00 16617070656e644261746368 02 000261 00')].map((octet) =>
      octet.toString(16).padStart(2, '0'),
    )
    await talk(frame(2, ...octets), SECOND_OK)
    assert.deepEqual(handler.bodies, ['hello', 'a'])
  })
})
