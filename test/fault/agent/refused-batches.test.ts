import assert from 'node:assert/strict'
import { EventBatch } from '@millrace/event'
import { type MockReceiver, mockReceiver, type ReceiverResponse } from '@millrace/testkit/receiver'
import { attackedAgent } from '../../support/attacked-agent.js'
import { firstFrame, laterFrame } from '../../support/avro-frames.js'
import { freePort } from '../../support/free-port.js'
import { NumberedClient } from '../../support/numbered-client.js'
import { frame, text } from '../../support/rpc/golden.js'
import { RawPeer } from '../../support/rpc/raw-peer.js'
import { Closing } from '../../support/rpc/test-server.js'
import { until } from '../../support/until.js'

const OK = '000000'
const FAILED = '000002'

const batchOf = (name: string, count: number, from = 0) =>
  EventBatch.of(Array.from({ length: count }, (_, i) => ({ body: `${name}-${from + i}` })))

/** Calls of one connection, one after the other; tells the status of each. */
class Caller {
  readonly #peer: RawPeer
  #serial = 0

  constructor(peer: RawPeer) {
    this.#peer = peer
  }

  async call(batch: EventBatch): Promise<string> {
    this.send(batch)
    return this.answer()
  }

  send(batch: EventBatch): void {
    this.#serial += 1
    const build = this.#serial === 1 ? firstFrame : laterFrame
    this.#peer.write(build(batch, this.#serial))
  }

  /** Without the handshake in front of the first one. */
  async answer(): Promise<string> {
    const { buffers } = await this.#peer.readFrame()
    return Buffer.concat(buffers.slice(1)).toString('hex').padStart(6, '0')
  }

  async append(body: string): Promise<string> {
    this.#serial += 1
    this.#peer.write(frame(this.#serial, `00 ${text('append')}`, `00 ${text(body)}`))
    return this.answer()
  }
}

describe('batches that an agent cannot take, and a sink that fails', () => {
  let receiver: MockReceiver
  let port = 0
  /** r1 → c1 → files, for the good client, and r2 → c2 → an avro sink to the receiver. */
  const agent = attackedAgent(async () => {
    receiver = await mockReceiver()
    port = await freePort()
    return {
      settings: {
        sources: 'r1 r2',
        channels: 'c1 c2',
        sinks: 'k1 k2',
        'sources.r2.type': 'avro',
        'sources.r2.bind': '127.0.0.1',
        'sources.r2.port': String(port),
        'sources.r2.channels': 'c2',
        'channels.c2.type': 'memory',
        'channels.c2.capacity': '100',
        'channels.c2.transactionCapacity': '50',
        'channels.c2.keep-alive': '0',
        'sinks.k2.type': 'avro',
        'sinks.k2.channel': 'c2',
        'sinks.k2.hostname': '127.0.0.1',
        'sinks.k2.port': String(receiver.port),
        'sinks.k2.batch-size': '50',
        'sinks.k2.request-timeout': '1000',
        'sinks.k2.connect-timeout': '1000',
      },
    }
  })
  const closing = new Closing()
  after(() => receiver.close())
  const connect = async (to: number) => new Caller(closing.add(await RawPeer.connect(to)))
  const delivered = () => {
    const counts = new Map<string, number>()
    for (const event of receiver.events) counts.set(event.text, (counts.get(event.text) ?? 0) + 1)
    return counts
  }

  it('a batch above transactionCapacity is answered FAILED each time, and nothing of it is stored', async () => {
    const caller = await connect(agent.port)
    assert.equal(await caller.call(batchOf('large', 1_001)), FAILED)
    assert.equal(await caller.call(batchOf('large', 1_001)), FAILED)
    assert.equal(await caller.call(batchOf('largest', 1_000)), OK)
    await until(() => agent.process.stored().has('largest-999'), { what: 'the batch is stored' })
    assert.equal(agent.process.stored().has('large-0'), false)
    await until(
      () => /answered FAILED: A batch of 1001 events .*transactionCapacity/.test(agent.process.log),
      {
        what: 'the reason in the log',
      },
    )
  })

  it('a full channel answers FAILED until there is room, keeps what it acknowledged, and stores nothing else', async () => {
    receiver.respond(() => 'fail')
    const caller = await connect(port)
    const answers: string[] = []
    for (let i = 0; i < 4; i += 1) answers.push(await caller.call(batchOf('full', 50, i * 50)))
    assert.deepEqual(answers, [OK, OK, FAILED, FAILED])
    assert.equal(await caller.append('full-200'), FAILED)
    const other = await connect(port)
    for (let i = 0; i < 100; i += 1) other.send(batchOf('other', 1, i))
    for (let i = 0; i < 100; i += 1) assert.equal(await other.answer(), FAILED)
    const { 'CHANNEL.c2': channel, 'SOURCE.r2': source } = await agent.process.metrics()
    assert.equal(channel?.['ChannelSize'], '100')
    assert.equal(channel?.['ChannelFillPercentage'], '100.0')
    assert.equal(source?.['EventAcceptedCount'], '100')

    receiver.respond(() => 'ok')
    await receiver.waitFor(100, { timeoutMs: 10_000 })
    await until(async () => (await caller.append('full-300')) === OK, { what: 'there is room' })
    await receiver.waitFor(101)
    const expected = [...Array.from({ length: 100 }, (_, i) => `full-${i}`), 'full-300']
    assert.deepEqual([...delivered().keys()], expected)
    assert.ok([...delivered().values()].every((count) => count === 1))
    const lines = agent.process.log
      .split('\n')
      .filter((line) => /answered FAILED: No room/.test(line))
    assert.ok(lines.length >= 1 && lines.length <= 3, lines.join('\n'))
  })

  it('a sink that loses connections, answers or nothing delivers all that was acknowledged when it works again', async () => {
    const troubles: ReceiverResponse[] = ['drop', 'hang', 'keep-then-drop']
    receiver.respond(() => troubles.shift() ?? 'ok')
    const client = new NumberedClient(port, 'through').start()
    closing.step(() => client.stop())
    await until(() => troubles.length === 0, { timeoutMs: 15_000, what: 'every trouble was met' })
    await client.goesOn(20)
    await client.stop()
    await until(() => (delivered().get(`through-${client.acknowledged - 1}`) ?? 0) > 0, {
      what: 'the last event is delivered',
    })
    const unique = new Map([...delivered()].map(([body]) => [body, 1]))
    client.audit(unique)
    assert.ok(
      client.doubledIn(delivered()) <= 50,
      'only the batch whose answer was lost is doubled',
    )
  })
})
