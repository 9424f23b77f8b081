import assert from 'node:assert/strict'
import { avroSink } from '@millrace/agent-core/internal/sinks/avro'
import type { AvroSink } from '@millrace/agent-core/internal/sinks/avro-sink'
import type { Sink, SinkStartContext } from '@millrace/component'
import { EventBatch } from '@millrace/event'
import { type Clock, type Logger, seededRandom, silentLogger, systemClock } from '@millrace/runtime'
import { FakeClock } from '@millrace/testkit'
import {
  mockReceiver,
  type MockReceiver,
  type MockReceiverOptions,
} from '@millrace/testkit/receiver'
import { testCertificates } from '../../support/certificates.js'
import { writeJks, writePkcs12 } from '../../support/java-stores.js'
import { batchOf, keptLogger, noAbort, sinkContext } from '../../support/component-context.js'
import { until } from '../../support/until.js'

type Options = Parameters<typeof avroSink.create>[0]['options']

const defaults = Object.fromEntries(
  Object.entries(avroSink.options).map(([name, spec]) => [name, spec.fallback]),
) as unknown as Options
const STOP = { deadlineMs: 2_000 }

describe('avro sink', () => {
  const closers: (() => Promise<void>)[] = []

  afterEach(async () => {
    for (const close of closers.splice(0).toReversed()) await close()
  })

  async function receive(options: MockReceiverOptions = {}): Promise<MockReceiver> {
    const receiver = await mockReceiver(options)
    closers.push(() => receiver.close())
    return receiver
  }

  async function start(
    receiver: { host: string; port: number },
    options: Partial<Options> = {},
    surroundings: { logger?: Logger; clock?: Clock } = {},
  ): Promise<{ sink: Sink; context: SinkStartContext }> {
    const sink = avroSink.create({
      agent: 'a1',
      name: 'k1',
      options: { ...defaults, hostname: receiver.host, port: receiver.port, ...options },
      logger: silentLogger,
      clock: systemClock,
      random: seededRandom(1),
      createSerializer: () => assert.fail('an avro sink has no serializer'),
      ...surroundings,
    }) as AvroSink
    const context = sinkContext()
    await sink.start(context)
    closers.push(() => sink.stop(STOP))
    return { sink, context }
  }

  it('hands the events over and resolves when they are acknowledged', async () => {
    const receiver = await receive()
    const { sink, context } = await start(receiver)
    const batch = EventBatch.of([{ headers: { k: 'v', ü: '' }, body: 'a' }, { body: 'b' }])
    await sink.write(batch, noAbort)
    assert.deepEqual(
      receiver.events.map(({ headers, text }) => [headers, text]),
      [
        [{ k: 'v', ü: '' }, 'a'],
        [{}, 'b'],
      ],
    )
    await sink.write(batchOf('c'), noAbort)
    assert.equal(receiver.calls.length, 2)
    assert.equal(context.counters.connectionCreatedCount, 1)
    await sink.stop?.(STOP)
    assert.equal(context.counters.connectionClosedCount, 1)
  })

  it('throws on FAILED and makes a new connection for the next write', async () => {
    const receiver = await receive()
    const { sink, context } = await start(receiver)
    await sink.write(batchOf('1'), noAbort)
    receiver.failNext()
    await assert.rejects(sink.write(batchOf('2'), noAbort), {
      code: 'MILLRACE_DELIVERY_FAILED',
      retryable: true,
      message: new RegExp(`${receiver.host}:${receiver.port}`),
    })
    await sink.write(batchOf('2'), noAbort)
    assert.deepEqual(
      receiver.events.map(({ text }) => text),
      ['1', '2'],
    )
    const { counters } = context
    assert.deepEqual([counters.connectionCreatedCount, counters.connectionClosedCount], [2, 1])
  })

  it('starts without its destination, says so, and delivers once it is there', async () => {
    const receiver = await receive()
    await receiver.close()
    const { logger, lines } = keptLogger()
    const { sink, context } = await start(receiver, {}, { logger })
    await until(() => lines.some((line) => /not connected yet.*ECONNREFUSED/.test(line)), {
      what: 'the line about the connection',
    })
    await assert.rejects(sink.write(batchOf('x'), noAbort), { code: 'MILLRACE_DELIVERY_FAILED' })
    assert.ok(context.counters.connectionFailedCount >= 2)
    await receiver.reopen()
    await sink.write(batchOf('x'), noAbort)
    assert.deepEqual(
      receiver.events.map(({ text }) => text),
      ['x'],
    )
  })

  it('notices a connection that was lost between two writes', async () => {
    const receiver = await receive()
    const { sink, context } = await start(receiver)
    await sink.write(batchOf('1'), noAbort)
    receiver.disconnect()
    await until(() => receiver.connectionCount === 0, { what: 'the connection is cut' })
    // The sink's side hears of it a moment later; a write in that moment may fail, none may hang.
    await until(
      () =>
        sink.write(batchOf('2'), noAbort).then(
          () => true,
          () => false,
        ),
      { what: 'a write gets through' },
    )
    assert.ok(receiver.events.some(({ text }) => text === '2'))
    assert.ok(context.counters.connectionCreatedCount >= 2)
  })

  it('replaces its connection when it is as old as reset-connection-interval', async () => {
    const receiver = await receive()
    const clock = new FakeClock()
    const { sink, context } = await start(
      receiver,
      { resetConnectionIntervalMs: 60_000 },
      { clock },
    )
    await sink.write(batchOf('1'), noAbort)
    await clock.advance(59_000)
    await sink.write(batchOf('2'), noAbort)
    assert.equal(context.counters.connectionCreatedCount, 1)
    await clock.advance(1_000)
    const third = sink.write(batchOf('3'), noAbort)
    await third
    assert.equal(context.counters.connectionCreatedCount, 2)
    assert.equal(receiver.events.length, 3)
  })

  it('gives a write up when its signal is aborted', async () => {
    const receiver = await receive()
    receiver.respond('hang')
    const { sink } = await start(receiver)
    const controller = new AbortController()
    const write = sink.write(batchOf('x'), controller.signal)
    await until(() => receiver.calls.length === 1, { what: 'the call' })
    controller.abort()
    await assert.rejects(write, { code: 'MILLRACE_ABORTED' })
    receiver.respond('ok')
    await sink.write(batchOf('y'), noAbort)
  })

  it('throws when no answer comes within request-timeout', async () => {
    const receiver = await receive()
    const { sink } = await start(receiver, { requestTimeoutMs: 50 })
    await sink.write(batchOf('1'), noAbort)
    receiver.respond('hang')
    await assert.rejects(sink.write(batchOf('2'), noAbort), /timed out/)
    receiver.respond('ok')
    await sink.write(batchOf('2'), noAbort)
  })

  it('stops while it connects, and while a write hangs', async () => {
    const receiver = await receive()
    receiver.respond('hang')
    const { sink } = await start(receiver)
    const write = assert.rejects(sink.write(batchOf('x'), noAbort))
    await sink.stop?.(STOP)
    await write
    await assert.rejects(sink.write(batchOf('x'), noAbort), { code: 'MILLRACE_LIFECYCLE_STATE' })
  })

  it('speaks deflate', async () => {
    const receiver = await receive({ compression: 'deflate' })
    const { sink } = await start(receiver, { compression: 'deflate', compressionLevel: 9 })
    await sink.write(batchOf('x'.repeat(5_000)), noAbort)
    assert.equal(receiver.events[0]?.text.length, 5_000)
  })

  it('fails over to the next host, and balances over all', async () => {
    const receivers = [await receive(), await receive()]
    const hosts = ['a', 'b']
    const hostsByAlias = Object.fromEntries(
      receivers.map(({ address }, i) => [hosts[i] ?? '', address]),
    )
    const elsewhere = { host: 'nowhere.invalid', port: 1 }
    const given = { hosts, hostsByAlias }
    const counts = () => receivers.map(({ events }) => events.length)
    const failover = await start(elsewhere, { ...given, clientType: 'default_failover' })
    await failover.sink.write(batchOf('1'), noAbort)
    assert.deepEqual(counts(), [1, 0])
    await receivers[0]?.close()
    await failover.sink.write(batchOf('2'), noAbort)
    assert.deepEqual(counts(), [1, 1])
    await receivers[0]?.reopen()
    const clientType = 'org.apache.flume.api.LoadBalancingRpcClient'
    const balancing = await start(elsewhere, { ...given, clientType })
    for (const body of ['3', '4', '5', '6']) await balancing.sink.write(batchOf(body), noAbort)
    assert.deepEqual(counts(), [3, 3])
  })

  it('uses the host that hosts names instead of hostname and port', async () => {
    const receiver = await receive()
    const elsewhere = { host: 'nowhere.invalid', port: 1 }
    const { sink } = await start(elsewhere, {
      hosts: ['collector'],
      hostsByAlias: { collector: `127.0.0.1:${receiver.port}` },
    })
    await sink.write(batchOf('x'), noAbort)
    assert.equal(receiver.events.length, 1)
  })

  describe('with TLS', () => {
    const { authority, server, otherServer, client, stranger } = testCertificates()
    const truststore = authority.writeCertificate()

    const serverTls = ({ key, cert }: { key: string; cert: string }) => ({ tls: { key, cert } })

    it('trusts what its trust store says', async () => {
      const receiver = await receive(serverTls(server))
      const { sink } = await start(receiver, { ssl: true, truststore })
      await sink.write(batchOf('secret'), noAbort)
      assert.equal(receiver.events.length, 1)
    })

    it('refuses a stranger, and a good certificate for another name', async () => {
      for (const certificate of [stranger, otherServer]) {
        const receiver = await receive(serverTls(certificate))
        const { sink } = await start(receiver, { ssl: true, truststore })
        await assert.rejects(sink.write(batchOf('secret'), noAbort), {
          code: 'MILLRACE_DELIVERY_FAILED',
        })
        assert.equal(receiver.calls.length, 0)
      }
    })

    it('takes a good certificate for another name with verify-hostname = false', async () => {
      const receiver = await receive(serverTls(otherServer))
      const { sink } = await start(receiver, { ssl: true, truststore, verifyHostname: false })
      await sink.write(batchOf('x'), noAbort)
      assert.equal(receiver.events.length, 1)
    })

    it('trusts what JKS and PKCS12 stores say, and a JKS store without its password', async () => {
      const receiver = await receive(serverTls(server))
      for (const given of [
        { truststore: writeJks('changeit', authority.cert) },
        { truststore: writeJks('changeit', authority.cert), truststorePassword: 'changeit' },
        { truststore: writePkcs12('changeit', authority.cert), truststorePassword: 'changeit' },
      ]) {
        const { sink } = await start(receiver, { ssl: true, ...given })
        await sink.write(batchOf('x'), noAbort)
      }
      assert.equal(receiver.events.length, 3)
    })

    it('takes any certificate with trust-all-certs', async () => {
      const receiver = await receive(serverTls(stranger))
      const { sink } = await start(receiver, { ssl: true, trustAllCerts: true })
      await sink.write(batchOf('x'), noAbort)
      assert.equal(receiver.events.length, 1)
    })

    it('shows its own certificate where one is needed', async () => {
      const { key, cert } = server
      const tls = { key, cert, ca: authority.cert, clientAuth: 'need' } as const
      const receiver = await receive({ tls })
      const keystore = client.writeStore('pass')
      const known = await start(receiver, {
        ssl: true,
        truststore,
        keystore,
        keystorePassword: 'pass',
      })
      await known.sink.write(batchOf('x'), noAbort)
      const nobody = await start(receiver, { ssl: true, truststore })
      await assert.rejects(nobody.sink.write(batchOf('y'), noAbort))
      assert.deepEqual(
        receiver.events.map(({ text }) => text),
        ['x'],
      )
    })

    it('throws while a store cannot be read', async () => {
      const receiver = await receive(serverTls(server))
      const { sink } = await start(receiver, { ssl: true, truststore: '/no/such/file' })
      await assert.rejects(
        sink.write(batchOf('x'), noAbort),
        /truststore \/no\/such\/file cannot be used/,
      )
    })
  })
})

describe('avro sink options', () => {
  const findings = (given: Partial<Options>) =>
    avroSink
      .check?.({ ...defaults, hostname: 'h', port: 1, ...given }, { channels: [], sinks: [] })
      .map(({ key, code, severity }) => `${severity ?? 'error'} ${code ?? 'INVALID'} ${key}`)

  it('are good as they are', () => {
    assert.deepEqual(findings({}), [])
  })

  it('refuse stores that are never read by name, with ssl only', () => {
    const given = { truststoreType: 'JCEKS', keystoreType: 'BCFKS' }
    assert.deepEqual(findings(given), [])
    assert.deepEqual(findings({ ...given, ssl: true }), [
      'error MILLRACE_CONFIG_UNSUPPORTED truststore-type',
      'error MILLRACE_CONFIG_UNSUPPORTED keystore-type',
    ])
  })

  it('need an address for each host', () => {
    assert.deepEqual(findings({ hosts: ['a', 'b'], hostsByAlias: { a: 'x:1', b: '::1:2' } }), [
      'warning MILLRACE_CONFIG_NO_EFFECT hosts',
      'error INVALID hosts.b',
    ])
    assert.deepEqual(findings({ hosts: ['a'] }), ['error MILLRACE_CONFIG_MISSING hosts.a'])
  })

  it('refuse a client that is not there by name', () => {
    assert.deepEqual(findings({ clientType: 'thrift', hostSelector: 'com.example.Mine' }), [
      'error MILLRACE_CONFIG_UNSUPPORTED client.type',
      'error MILLRACE_CONFIG_UNSUPPORTED host-selector',
    ])
    assert.deepEqual(findings({ clientType: 'default_loadbalance' }), ['error INVALID hosts'])
  })

  it('take timeouts below a second and batches below one as the defaults', () => {
    const { connectTimeoutMs, requestTimeoutMs, batchSize } = avroSink.options
    assert.equal(connectTimeoutMs.adjust?.(999), 20_000)
    assert.equal(requestTimeoutMs.adjust?.(1_000), 1_000)
    assert.equal(batchSize.adjust?.(0), 100)
  })
})
