import assert from 'node:assert/strict'
import { connect as connectTcp } from 'node:net'
import avsc from 'avsc'
import { attackedAgent } from '../../support/attacked-agent.js'
import {
  clientAnswer,
  errorAnswer,
  FIRST_OK,
  FLUME_1_2_HASH,
  frame,
  handshake,
  HASH,
  noneAnswer,
  PROTOCOL,
  SECOND_BATCH,
  SECOND_OK,
  text,
} from '../../support/rpc/golden.js'
import { RawPeer } from '../../support/rpc/raw-peer.js'
import { Closing } from '../../support/rpc/test-server.js'
import { until } from '../../support/until.js'

const APPEND = `00 ${text('append')}`
const APPEND_BATCH = `00 ${text('appendBatch')}`
const UNKNOWN_HASH = '00112233445566778899aabbccddeeff'
const EOF = 'java.io.EOFException'

/** Flume's protocol, its event with one more field. */
const WIDER = {
  protocol: 'Wider',
  types: [
    { type: 'enum', name: 'Status', symbols: ['OK', 'FAILED', 'UNKNOWN'] },
    {
      type: 'record',
      name: 'AvroFlumeEvent',
      fields: [
        { name: 'headers', type: { type: 'map', values: 'string' } },
        { name: 'body', type: 'bytes' },
        { name: 'tags', type: { type: 'array', items: 'null' } },
      ],
    },
  ],
  messages: {
    append: { request: [{ name: 'event', type: 'AvroFlumeEvent' }], response: 'Status' },
    appendBatch: {
      request: [{ name: 'events', type: { type: 'array', items: 'AvroFlumeEvent' } }],
      response: 'Status',
    },
  },
}

describe('handshakes of other protocols with an agent', () => {
  const agent = attackedAgent()
  const closing = new Closing()
  const connect = async () => closing.add(await RawPeer.connect(agent.port))
  const isStored = (body: string) =>
    until(() => agent.process.stored().get(body) === 1, { what: `${body} is stored once` })
  const event = (body: string) => `02 026b 0276 00 ${text(body)}`

  it('an unknown hash without a text gets NONE and our protocol; the call is run when it comes with one', async () => {
    const peer = await connect()
    peer.write(frame(1, handshake(UNKNOWN_HASH), APPEND, event('after NONE')))
    const none = noneAnswer(1)
    assert.deepEqual(await peer.read(none.length), none)
    const protocol = Buffer.from(PROTOCOL, 'hex').toString()
    peer.write(frame(1, handshake(UNKNOWN_HASH, HASH, protocol), APPEND, event('after NONE')))
    assert.deepEqual(await peer.read(FIRST_OK.length), FIRST_OK)
    await isStored('after NONE')
  })

  it('the hash of Flume 1.2 gets BOTH, and a client that expects another server CLIENT, both with OK', async () => {
    const old = await connect()
    old.write(frame(1, handshake(FLUME_1_2_HASH), APPEND, event('of Flume 1.2')))
    assert.deepEqual(await old.read(FIRST_OK.length), FIRST_OK)
    await isStored('of Flume 1.2')
    const moved = await connect()
    moved.write(frame(1, handshake(HASH, UNKNOWN_HASH), APPEND, event('moved')))
    const client = clientAnswer(1)
    assert.deepEqual(await moved.read(client.length), client)
    await isStored('moved')
  })

  it('a service of avsc with another protocol learns ours and gives up', async () => {
    const socket = closing.add(connectTcp({ host: '127.0.0.1', port: agent.port }))
    const service = avsc.Service.forProtocol({
      protocol: 'Other',
      messages: { hello: { request: [], response: 'string' } },
    })
    const client = service.createClient({ timeout: 5_000 })
    client.createChannel(socket)
    const error = await new Promise<unknown>((resolve) => {
      Reflect.apply(Reflect.get(client, 'hello'), client, [(failed: unknown) => resolve(failed)])
    })
    assert.match(String(error), /channel destroyed/)
  })

  it('a message that ours does not have is answered with an error', async () => {
    const peer = await connect()
    const other = JSON.stringify({ protocol: 'Other', types: [], messages: {} })
    peer.write(
      frame(1, handshake(UNKNOWN_HASH.replace('00', '01'), HASH, other), `00 ${text('hi')}`),
    )
    const { message } = await peer.readFrame()
    assert.match(message.toString(), /No such remote message: hi$/)
    peer.write(frame(2, APPEND, event('of Other')))
    assert.match((await peer.readFrame()).message.toString(), /No such remote message: append$/)
  })

  it('no handshake at all gets an error, and a second one too', async () => {
    const peer = await connect()
    peer.write(frame(1, APPEND, event('without')))
    assert.deepEqual(await peer.read(errorAnswer(1, EOF).length), errorAnswer(1, EOF))
    peer.write(frame(1, handshake(), APPEND, event('with')))
    assert.deepEqual(await peer.read(FIRST_OK.length), FIRST_OK)
    peer.write(frame(3, handshake(), APPEND, event('again')))
    const again = await peer.readFrame()
    assert.equal(again.message.subarray(0, 3).toString('hex'), '000100')
    peer.write(SECOND_BATCH)
    assert.deepEqual(await peer.read(SECOND_OK.length), SECOND_OK)
    await isStored('with')
    assert.deepEqual(
      ['without', 'again'].filter((body) => agent.process.stored().has(body)),
      [],
    )
  })

  it('protocols that are none, too long or endless get an error', async () => {
    const deep = `{"protocol":"Deep","types":${'['.repeat(20_000)}${']'.repeat(20_000)}}`
    const endless = JSON.stringify(WIDER).replace('"bytes"', '"AvroFlumeEvent"')
    for (const [at, protocol] of [
      '',
      '{}',
      '[',
      'null',
      ' '.repeat(1e6),
      deep,
      endless,
    ].entries()) {
      const peer = await connect()
      const hash = `${UNKNOWN_HASH.slice(0, 30)}${(0x10 + at).toString(16)}`
      peer.write(frame(1, handshake(hash, HASH, protocol), APPEND, event('of no protocol')))
      const { buffers } = await peer.readFrame()
      assert.match(Buffer.concat(buffers.slice(1)).toString('hex'), /^00(0100|0100)/, protocol)
    }
    assert.equal(agent.process.stored().has('of no protocol'), false)
  })

  it('events of another shape are read by their schema, and counts that lie there cost nothing', async () => {
    const peer = await connect()
    const protocol = JSON.stringify(WIDER)
    const tagged = `${event('tagged')} 00`
    peer.write(frame(1, handshake(`${UNKNOWN_HASH.slice(2)}ff`, HASH, protocol), APPEND, tagged))
    assert.deepEqual(await peer.read(FIRST_OK.length), FIRST_OK)
    await isStored('tagged')
    for (const lie of [
      'feffffff0f', // 2^31 events
      'feffffffffffffffff01', // 2^62 events
      `02 ${event('x')} feffffffffffff7f 00 00`, // 2^55 tags of no octet
      `02 feffffff0f 026b 0276 00 00 00 00`, // 2^31 headers
    ]) {
      peer.write(frame(2, APPEND_BATCH, lie))
      const { message } = await peer.readFrame()
      assert.equal(message.subarray(0, 3).toString('hex'), '000100', lie)
    }
    peer.write(frame(3, APPEND_BATCH, `02 ${event('tagged too')} 00 00`))
    assert.equal((await peer.readFrame()).message.toString('hex'), '000000')
    await isStored('tagged too')
  })
})
