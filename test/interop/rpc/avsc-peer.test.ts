import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:net'
import { EventBatch } from '@millrace/event'
import { AvroRpcClient } from '@millrace/rpc'
import { SOURCE_PROTOCOL } from '@millrace/rpc/internal/protocol/source-protocol'
import avsc from 'avsc'
import { AvscRpcClient, type PlainEvent, plainEvents } from '../../support/avsc-client.js'
import { frame, handshake, HASH, text } from '../../support/rpc/golden.js'
import { RawPeer } from '../../support/rpc/raw-peer.js'
import { Closing, startServer } from '../../support/rpc/test-server.js'

type Respond = (error: Error | null, status?: string) => void

describe('avsc as the other side', () => {
  const closing = new Closing()

  it('as a client of our server: its own protocol text, pings, batches, FAILED and errors', async () => {
    const { port, handler } = await startServer({}, closing.step)
    const client = closing.add(new AvscRpcClient(port))
    assert.equal(await client.append({ headers: { k: 'v' }, body: Buffer.from('one') }), 'OK')
    assert.equal(await client.appendBatch(plainEvents('two', 'three')), 'OK')
    assert.equal(await client.appendBatch([]), 'OK')
    assert.deepEqual(handler.bodies, ['one', 'two', 'three'])
    assert.deepEqual({ ...handler.calls[1]?.batch.headersAt(1) }, { text: 'three' })
    handler.decide = () => {
      throw new Error('no luck')
    }
    assert.equal(await client.appendBatch(plainEvents('four')), 'FAILED')
    await assert.rejects(client.append({ headers: {}, body: Buffer.of() }), /no luck/)
  })

  it('as a client with many calls on their way: all are answered', async () => {
    const { port, handler } = await startServer({}, closing.step)
    const client = closing.add(new AvscRpcClient(port))
    await client.appendBatch(plainEvents('first'))
    const texts = Array.from({ length: 200 }, (_, i) => `e${i}`)
    const answers = await Promise.all(texts.map((each) => client.appendBatch(plainEvents(each))))
    assert.ok(answers.every((answer) => answer === 'OK'))
    assert.deepEqual(handler.bodies, ['first', ...texts])
  })

  it('as a server of our client', async () => {
    const service = avsc.Service.forProtocol(JSON.parse(JSON.stringify(SOURCE_PROTOCOL)))
    const stored: PlainEvent[] = []
    let status = 'OK'
    const rpc = service.createServer()
    rpc.onMessage('append', ({ event }: { event: PlainEvent }, respond: Respond) => {
      stored.push(event)
      respond(null, status)
    })
    rpc.onMessage('appendBatch', ({ events }: { events: PlainEvent[] }, respond: Respond) => {
      stored.push(...events)
      respond(null, status)
    })
    const server = createServer((socket) => void rpc.createChannel(socket))
    closing.step(() => server.close())
    const client = closing.add(new AvroRpcClient({ host: '127.0.0.1', port: await listen(server) }))
    await client.append(EventBatch.of([{ headers: { k: 'v' }, body: 'one' }]))
    const large = Buffer.alloc(1_000_000, 'x')
    await client.appendBatch(EventBatch.of([{ body: 'two' }, { body: large }]))
    assert.deepEqual(
      stored.map(({ body }) => body.length),
      [3, 3, 1_000_000],
    )
    assert.deepEqual({ ...stored[0]?.headers }, { k: 'v' })
    status = 'FAILED'
    await assert.rejects(client.appendBatch(EventBatch.of([{ body: 'x' }])), {
      code: 'MILLRACE_RPC_REMOTE_FAILED',
    })
  })

  it('as a server that answers NONE first, because it knows our protocol by another hash', async () => {
    const protocol = { ...JSON.parse(JSON.stringify(SOURCE_PROTOCOL)), doc: 'another text' }
    const service = avsc.Service.forProtocol(protocol)
    const stored: PlainEvent[] = []
    const rpc = service.createServer()
    rpc.onMessage('appendBatch', ({ events }: { events: PlainEvent[] }, respond: Respond) => {
      stored.push(...events)
      respond(null, 'OK')
    })
    const server = createServer((socket) => void rpc.createChannel(socket))
    closing.step(() => server.close())
    const client = closing.add(new AvroRpcClient({ host: '127.0.0.1', port: await listen(server) }))
    await client.appendBatch(EventBatch.of([{ body: 'one' }]))
    await client.appendBatch(EventBatch.of([{ body: 'two' }]))
    assert.deepEqual(
      stored.map(({ body }) => body.toString()),
      ['one', 'two'],
    )
  })
})

describe('a client with a protocol of its own', () => {
  const closing = new Closing()
  const UNKNOWN_HASH = 'ffeeddccbbaa99887766554433221100'
  const call = (protocol: object, parameter: string, name = 'append') =>
    frame(1, handshake(UNKNOWN_HASH, HASH, JSON.stringify(protocol)), `00 ${text(name)}`, parameter)
  const withEvent = (fields: readonly object[]) => ({
    protocol: 'Mine',
    types: [
      { type: 'enum', name: 'Status', symbols: ['OK', 'FAILED', 'UNKNOWN'] },
      { type: 'record', name: 'AvroFlumeEvent', fields },
    ],
    messages: {
      append: { request: [{ name: 'event', type: 'AvroFlumeEvent' }], response: 'Status' },
    },
  })
  const headers = { name: 'headers', type: { type: 'map', values: 'string' } }
  const body = { name: 'body', type: 'bytes' }
  const open = async () => {
    const started = await startServer({}, closing.step)
    return { ...started, peer: closing.add(await RawPeer.connect(started.port)) }
  }

  it('whose events have other fields in another order is read by schema resolution', async () => {
    const { peer, handler } = await open()
    const extra = { name: 'weight', type: 'int' }
    const events = (value: string) => `${text(value)} 06 02 ${text('k')} ${text('v')} 00`
    // A second frame lies behind the first while the schema engine is being loaded.
    const next = frame(2, `00 ${text('append')}`, events('later'))
    const first = call(withEvent([body, extra, headers]), events('hello'))
    peer.write(Buffer.concat([first, next]))
    assert.equal((await peer.readFrame()).message.toString('hex'), '00000000000000')
    assert.equal((await peer.readFrame()).message.toString('hex'), '000000')
    assert.deepEqual(handler.bodies, ['hello', 'later'])
    assert.deepEqual({ ...handler.calls[0]?.batch.headersAt(0) }, { k: 'v' })
    peer.write(frame(3, `00 ${text('append')}`, text('cut')))
    assert.match((await peer.readFrame()).message.toString(), /java\.io\.EOFException/)
  })

  it('that lacks a field is told so, and the call is not run', async () => {
    const { peer, handler } = await open()
    peer.write(call(withEvent([body]), text('hello')))
    assert.match((await peer.readFrame()).message.toString(), /Protocols do not match/)
    assert.equal(handler.calls.length, 0)
  })

  it('that is another protocol altogether gets its handshake and an error for its message', async () => {
    const { peer, handler } = await open()
    const other = {
      protocol: 'Other',
      types: [],
      messages: { ping: { request: [], response: 'null' } },
    }
    peer.write(call(other, '', 'ping'))
    const answer = await peer.readFrame()
    assert.equal(answer.buffers[0]?.toString('hex'), '00000000')
    assert.match(answer.message.toString(), /No such remote message: ping/)
    assert.equal(handler.calls.length, 0)
  })

  it('that is no protocol gets an error and may try again', async () => {
    const { peer } = await open()
    peer.write(frame(1, handshake(UNKNOWN_HASH, HASH, '{]'), '00 00'))
    assert.match((await peer.readFrame()).message.toString(), /java\.io\.EOFException/)
    peer.write(frame(2, handshake(), '00 00'))
    assert.equal((await peer.readFrame()).message.toString('hex'), '00000000')
  })
})

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const address = server.address()
  return typeof address === 'object' && address ? address.port : 0
}
