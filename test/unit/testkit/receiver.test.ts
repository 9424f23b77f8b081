import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { Appender } from '@millrace/appender'
import { mockReceiver, type MockReceiver } from '@millrace/testkit/receiver'
import { AvscRpcClient, plainEvents } from '../../support/avsc-client.js'
import { record } from '../../support/fake-receiver.js'
import { until } from '../../support/until.js'

describe('mockReceiver', () => {
  let receiver: MockReceiver
  const clients: AvscRpcClient[] = []

  function newClient(): AvscRpcClient {
    const client = new AvscRpcClient(receiver.port)
    clients.push(client)
    return client
  }

  beforeEach(async () => {
    receiver = await mockReceiver()
  })

  afterEach(async () => {
    for (const client of clients.splice(0)) client.close()
    await receiver.close()
  })

  it('keeps the events that it acknowledges, with headers, body and text', async () => {
    assert.equal(receiver.address, `127.0.0.1:${receiver.port}`)
    const client = newClient()
    assert.equal(await client.appendBatch(plainEvents('a', 'ä')), 'OK')
    assert.equal(await client.append({ headers: {}, body: Buffer.from([0, 255]) }), 'OK')
    assert.deepEqual(receiver.events, [
      { headers: { text: 'a' }, body: Buffer.from('a'), text: 'a' },
      { headers: { text: 'ä' }, body: Buffer.from('ä'), text: 'ä' },
      { headers: {}, body: Buffer.from([0, 255]), text: '\u0000\ufffd' },
    ])
    assert.deepEqual(
      receiver.calls.map(({ size, response }) => [size, response]),
      [
        [2, 'ok'],
        [1, 'ok'],
      ],
    )
    assert.equal(receiver.connectionCount, 1)
  })

  it('waits for events, and says how many came when they do not', async () => {
    const client = newClient()
    const waiting = receiver.waitFor(3)
    await client.appendBatch(plainEvents('1', '2'))
    await client.appendBatch(plainEvents('3'))
    assert.deepEqual(
      (await waiting).map((event) => event.text),
      ['1', '2', '3'],
    )
    assert.equal((await receiver.waitFor(1)).length, 3)
    await assert.rejects(receiver.waitFor(4, { timeoutMs: 20 }), /^Error: 3 of 4 events came/)
    receiver.clear()
    assert.deepEqual([receiver.events, receiver.calls], [[], []])
  })

  it('fails the next calls and keeps nothing of them', async () => {
    const client = newClient()
    receiver.failNext(2)
    assert.equal(await client.appendBatch(plainEvents('a')), 'FAILED')
    assert.equal(await client.append(plainEvents('a')[0]!), 'FAILED')
    assert.equal(await client.appendBatch(plainEvents('a')), 'OK')
    assert.equal(receiver.events.length, 1)
    assert.deepEqual(
      receiver.calls.map((call) => call.response),
      ['fail', 'fail', 'ok'],
    )
  })

  it('asks for each call what it meets', async () => {
    const client = newClient()
    receiver.respond((events) => (events[0]?.text === 'bad' ? 'fail' : 'ok'))
    assert.equal(await client.appendBatch(plainEvents('good')), 'OK')
    assert.equal(await client.appendBatch(plainEvents('bad')), 'FAILED')
    receiver.respond(async () => Promise.resolve('fail'))
    assert.equal(await client.appendBatch(plainEvents('good')), 'FAILED')
    receiver.respond()
    assert.equal(await client.appendBatch(plainEvents('bad')), 'OK')
  })

  for (const [response, kept] of [
    ['drop', 0],
    ['keep-then-drop', 1],
  ] as const) {
    it(`cuts the connection without an answer on ${response}`, async () => {
      receiver.respond(response)
      await assert.rejects(newClient().appendBatch(plainEvents('a')), /lost|ECONNRESET|interrupted/)
      assert.equal(receiver.events.length, kept)
      receiver.respond()
      assert.equal(await newClient().appendBatch(plainEvents('b')), 'OK')
    })
  }

  it('cuts the connection in the middle of an answer on cut-mid-frame', async () => {
    receiver.respond('cut-mid-frame')
    await assert.rejects(newClient().appendBatch(plainEvents('a')), /lost|ECONNRESET|interrupted/)
    assert.deepEqual(receiver.events, [])
    receiver.respond()
    assert.equal(await newClient().appendBatch(plainEvents('b')), 'OK')
  })

  it('follows a script, one step for each call, and then goes on as before', async () => {
    const client = newClient()
    receiver.respond('fail')
    receiver.script(['ok', { response: 'ok', delayMs: 60 }, { delayMs: 0 }])
    assert.equal(await client.appendBatch(plainEvents('1')), 'OK')
    assert.equal(receiver.stepsLeft, 2)
    const start = performance.now()
    assert.equal(await client.appendBatch(plainEvents('2')), 'OK')
    assert.ok(performance.now() - start >= 55)
    assert.equal(await client.appendBatch(plainEvents('3')), 'FAILED')
    assert.equal(await client.appendBatch(plainEvents('4')), 'FAILED')
    assert.equal(receiver.stepsLeft, 0)
    assert.equal(receiver.events.length, 2)
  })

  it('loses the reply and keeps the events on keep-then-hang: a sender sends them again', async () => {
    receiver.script(['drop', 'cut-mid-frame', 'keep-then-hang', 'fail', 'ok'])
    const appender = new Appender(
      {
        hosts: [receiver.address],
        requestTimeoutMs: 100,
        backoff: { minMs: 1, maxMs: 5 },
        diagnostics: 'off',
      },
      { loggerName: 'test' },
    )
    appender.append(record('once'))
    assert.equal(await appender.flush(), true)
    await appender.close()
    const ids = receiver.events.map(({ headers }) => headers['guId'])
    assert.equal(ids.length, 2)
    assert.equal(ids[0], ids[1])
    assert.deepEqual(
      receiver.calls.map(({ response }) => response),
      ['drop', 'cut-mid-frame', 'keep-then-hang', 'fail', 'ok'],
    )
  })

  it('refuses new connections and leaves the open ones', async () => {
    const client = newClient()
    await client.appendBatch(plainEvents('a'))
    receiver.refuse = true
    await assert.rejects(newClient().appendBatch(plainEvents('b')))
    assert.equal(await client.appendBatch(plainEvents('c')), 'OK')
    receiver.refuse = false
    assert.equal(await newClient().appendBatch(plainEvents('d')), 'OK')
  })

  it('gives no answer on hang, and closes all the same', async () => {
    receiver.respond('hang')
    const call = newClient().appendBatch(plainEvents('a'))
    const outcome = call.then(
      () => 'answered',
      () => 'lost',
    )
    await until(() => receiver.calls.length === 1, { what: 'the call' })
    assert.equal(
      await Promise.race([outcome, new Promise((r) => setTimeout(r, 20, 'silent'))]),
      'silent',
    )
    await receiver.close()
    assert.equal(await outcome, 'lost')
  })

  it('cuts connections, closes twice, and opens again on the same port', async () => {
    const { port } = receiver
    await newClient().appendBatch(plainEvents('a'))
    receiver.disconnect()
    await until(() => receiver.connectionCount === 0, { what: 'no connection' })
    await newClient().appendBatch(plainEvents('b'))
    await receiver.close()
    await receiver.close()
    await assert.rejects(newClient().appendBatch(plainEvents('c')), /ECONNREFUSED|lost/)
    await receiver.reopen()
    assert.equal(receiver.port, port)
    await newClient().appendBatch(plainEvents('d'))
    assert.deepEqual(
      receiver.events.map((event) => event.text),
      ['a', 'b', 'd'],
    )
  })

  it('fails to open on a port that is in use', async () => {
    await assert.rejects(mockReceiver({ port: receiver.port }), {
      code: 'MILLRACE_LIFECYCLE_START_FAILED',
    })
  })

  it('works from CommonJS', async () => {
    const load = createRequire(import.meta.url)
    const commonJs = load('@millrace/testkit/receiver') as {
      mockReceiver: typeof mockReceiver
    }
    const other = await commonJs.mockReceiver()
    await other.close()
    receiver.respond('fail')
    assert.notEqual(commonJs.mockReceiver, mockReceiver)
  })
})
