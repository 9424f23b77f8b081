import assert from 'node:assert/strict'
import { EmbeddedAgent } from '@millrace/agent-core'
import { MillraceError } from '@millrace/runtime'
import { mockReceiver } from '@millrace/testkit/receiver'

describe('an embedded agent', () => {
  const closing: (() => Promise<unknown>)[] = []
  afterEach(async () => {
    for (const close of closing.splice(0).toReversed()) await close()
  })

  const codeOf = (run: () => Promise<unknown>) =>
    run().then(
      () => 'none',
      (error: unknown) => (MillraceError.is(error) ? error.code : String(error)),
    )

  it('ships what the application puts, with the keys of Flume', async () => {
    const receiver = await mockReceiver()
    closing.push(() => receiver.close())
    const agent = new EmbeddedAgent('in-process')
    closing.push(() => agent.stop({ deadlineMs: 500 }))
    await agent.configure({
      'channel.type': 'memory',
      'channel.capacity': '200',
      sinks: 'sink1 sink2',
      'sink1.type': 'avro',
      'sink1.hostname': '127.0.0.1',
      'sink1.port': String(receiver.port),
      'sink2.type': 'avro',
      'sink2.hostname': '127.0.0.1',
      'sink2.port': String(receiver.port),
      'processor.type': 'load_balance',
      'source.interceptors': 'i1',
      'source.interceptors.i1.type': 'static',
      'source.interceptors.i1.key': 'from a = b',
      'source.interceptors.i1.value': 'x: #1 ${env:HOME} $${a}',
    })
    await agent.start()
    await agent.put({ body: 'one' })
    await agent.putAll([{ body: 'two', headers: { a: '1' } }, { body: 'three' }])
    await receiver.waitFor(3, { timeoutMs: 10_000 })
    const found = receiver.events.map(({ text }) => text)
    assert.deepEqual(found.toSorted(), ['one', 'three', 'two'])
    assert.ok(
      receiver.events.every(({ headers }) => headers['from a = b'] === 'x: #1 ${env:HOME} $${a}'),
    )
    assert.equal(agent.metrics()['SOURCE.source']?.['EventAcceptedCount'], '3')
  })

  it('refuses keys and types that it does not have', async () => {
    const good = {
      'channel.type': 'memory',
      sinks: 'k',
      'k.type': 'avro',
      'k.hostname': 'localhost',
      'k.port': '1',
      'processor.type': 'default',
    }
    const agent = new EmbeddedAgent('e')
    for (const wrong of [
      { 'channel.type': 'jdbc' },
      { sinks: '' },
      { sinks: 'channel', 'channel.type': 'memory' },
      { 'k.type': 'null' },
      { 'k.port': 'x' },
      { 'processor.type': 'other' },
      { 'source.type': 'avro' },
    ] as Record<string, string>[])
      assert.equal(
        await codeOf(() => agent.configure({ ...good, ...wrong })),
        'MILLRACE_CONFIG_INVALID',
        JSON.stringify(wrong),
      )
    for (const unknown of ['k2.type', 'source.bind', 'other'])
      assert.equal(
        await codeOf(() => agent.configure({ ...good, [unknown]: '1' })),
        'MILLRACE_CONFIG_UNKNOWN_PROPERTY',
      )
    await agent.configure(good)
  })

  it('says that it does not run, and that a full channel did not take the events', async () => {
    const agent = new EmbeddedAgent('e')
    closing.push(() => agent.stop({ deadlineMs: 100 }))
    assert.equal(await codeOf(() => agent.start()), 'MILLRACE_LIFECYCLE_STATE')
    assert.equal(await codeOf(() => agent.put({ body: 'x' })), 'MILLRACE_LIFECYCLE_STATE')
    await agent.configure({
      'channel.type': 'memory',
      'channel.capacity': '1',
      'channel.transactionCapacity': '1',
      sinks: 'k',
      'k.type': 'avro',
      'k.hostname': '127.0.0.1',
      'k.port': '1',
      'k.batch-size': '1',
      'processor.type': 'default',
    })
    await agent.start()
    assert.equal(
      await codeOf(() => agent.putAll([{ body: '1' }, { body: '2' }])),
      'MILLRACE_DELIVERY_FAILED',
    )
    assert.equal(await codeOf(() => agent.configure({})), 'MILLRACE_LIFECYCLE_STATE')
    await agent.stop({ deadlineMs: 100 })
    assert.equal(await codeOf(() => agent.put({ body: 'x' })), 'MILLRACE_LIFECYCLE_STATE')
  })
})
