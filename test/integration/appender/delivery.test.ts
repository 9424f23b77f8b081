import assert from 'node:assert/strict'
import { createServer, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import { Appender, type AppenderOptions } from '@millrace/appender'
import { seededRandom } from '@millrace/runtime'
import { type MockReceiver, mockReceiver } from '@millrace/testkit/receiver'
import { TestCertificate } from '../../support/certificates.js'
import { imbalance, numbers, plainMapper, record } from '../../support/fake-receiver.js'
import { until } from '../../support/until.js'

const backoff = { minMs: 10, maxMs: 50 }
const linger = { lingerMs: 5 }

describe('an appender and real receivers', () => {
  const open: { close(): Promise<void> }[] = []
  afterEach(async () => {
    for (const one of open.splice(0).toReversed()) await one.close()
  })

  function appenderTo(
    receivers: readonly MockReceiver[],
    options: Partial<AppenderOptions> = {},
  ): Appender {
    const appender = new Appender(
      {
        hosts: receivers.map(({ address }) => address),
        backoff,
        batch: linger,
        diagnostics: 'off',
        ...options,
      },
      { loggerName: 'test', mapper: plainMapper },
    )
    open.push({ close: () => appender.close({ timeoutMs: 0 }) })
    return appender
  }

  async function receiver(options?: Parameters<typeof mockReceiver>[0]): Promise<MockReceiver> {
    const one = await mockReceiver(options)
    open.push(one)
    return one
  }

  const texts = (one: MockReceiver) => one.events.map(({ text }) => text)

  it('delivers events with the headers of the default profile', async () => {
    const a = await receiver()
    const appender = new Appender({ hosts: [a.address] }, { loggerName: 'test' })
    open.push(appender)
    appender.append({
      timestampMs: 1_234,
      level: 30_000,
      levelName: 'warn',
      loggerName: 'db',
      text: 'disk 91 %',
      context: { user: 'x' },
    })
    assert.equal(await appender.flush(), true)
    const [event] = a.events
    assert.equal(event?.text, 'disk 91 %')
    assert.equal(event?.headers['flume.client.log4j.log.level'], '30000')
    assert.equal(event?.headers['flume.client.log4j.logger.name'], 'db')
    assert.equal(event?.headers['timestamp'], '1234')
  })

  it('takes batches larger than 100 events in one call', async () => {
    const a = await receiver()
    const appender = appenderTo([a], { batch: { maxEvents: 1_000 } })
    for (const n of numbers(0, 1_000)) appender.append(record(n))
    assert.equal(await appender.flush(), true)
    assert.deepEqual(
      a.calls.map(({ size }) => size),
      [1_000],
    )
  })

  it('keeps all events through an outage', async () => {
    const a = await receiver()
    const appender = appenderTo([a])
    for (const n of numbers(0, 500)) appender.append(record(n))
    assert.equal(await appender.flush(), true)
    await a.close()
    for (const n of numbers(500, 1_000)) appender.append(record(n))
    assert.equal(await appender.flush({ timeoutMs: 100 }), false)
    await a.reopen()
    assert.equal(await appender.flush(), true)
    assert.deepEqual(texts(a), numbers(0, 1_000))
    assert.equal(appender.state().delivered, 1_000)
  })

  it('keeps all events while the receiver is full', async () => {
    const a = await receiver()
    const appender = appenderTo([a])
    a.respond('fail')
    for (const n of numbers(0, 1_000)) appender.append(record(n))
    await until(() => appender.state().rpc.failed > 30, { timeoutMs: 10_000, what: 'refusals' })
    a.respond()
    assert.equal(await appender.flush(), true)
    assert.deepEqual(texts(a).sort(), numbers(0, 1_000).sort())
    const { delivered, deadLettered, dropped } = appender.state()
    assert.equal(delivered, 1_000)
    assert.equal(deadLettered + dropped.rejected, 0)
  })

  it('sends again what a receiver stored and did not acknowledge', async () => {
    const a = await receiver()
    const appender = appenderTo([a])
    let calls = 0
    a.respond(() => (++calls === 2 ? 'keep-then-drop' : 'ok'))
    for (const n of numbers(0, 300)) appender.append(record(n))
    assert.equal(await appender.flush(), true)
    const second = numbers(100, 200)
    assert.deepEqual(texts(a), [...numbers(0, 200), ...second, ...numbers(200, 300)])
    assert.equal(appender.state().resent, 100)
  })

  it('sends a batch again when no answer comes in requestTimeoutMs', async () => {
    const a = await receiver()
    const appender = appenderTo([a], { requestTimeoutMs: 100 })
    let calls = 0
    a.respond(() => (++calls === 1 ? 'hang' : 'ok'))
    appender.append(record('x'))
    assert.equal(await appender.flush(), true)
    assert.equal(appender.state().rpc.timeout, 1)
    assert.deepEqual(texts(a), ['x'])
  })

  it('waits for the answer to the first batch as long as to the others', async () => {
    const a = await receiver()
    const appender = appenderTo([a], { connectTimeoutMs: 50, requestTimeoutMs: 5_000 })
    a.respond(async (): Promise<'ok'> => {
      await new Promise((resolve) => setTimeout(resolve, 150))
      return 'ok'
    })
    appender.append(record('x'))
    assert.equal(await appender.flush(), true)
    assert.equal(a.calls.length, 1)
  })

  it('goes to another receiver when one dies in the middle of a batch', async () => {
    const a = await receiver()
    const b = await receiver()
    const appender = appenderTo([a, b])
    a.respond('keep-then-drop')
    for (const n of numbers(0, 1_000)) appender.append(record(n))
    assert.equal(await appender.flush(), true)
    const all = new Set([...texts(a), ...texts(b)])
    assert.equal(all.size, 1_000)
    assert.ok(b.events.length >= 900)
  })

  it('gives up a peer that accepts connections and never answers', async () => {
    const sockets = new Set<Socket>()
    const server = createServer((socket) => {
      sockets.add(socket)
      socket.on('error', () => undefined)
    })
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve)
    })
    open.push({
      close: async () => {
        for (const socket of sockets) socket.destroy()
        server.close()
      },
    })
    const b = await receiver()
    const { port } = server.address() as AddressInfo
    const appender = appenderTo([], {
      hosts: [`127.0.0.1:${port}`, b.address],
      strategy: 'failover',
      requestTimeoutMs: 100,
    })
    appender.append(record('x'))
    assert.equal(await appender.flush(), true)
    assert.deepEqual(texts(b), ['x'])
  })

  it('gives up a peer that speaks something else', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined)
      socket.end('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n')
    })
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve)
    })
    open.push({ close: async () => void server.close() })
    const b = await receiver()
    const { port } = server.address() as AddressInfo
    const appender = appenderTo([], { hosts: [`127.0.0.1:${port}`, b.address] })
    for (const n of numbers(0, 300)) appender.append(record(n))
    assert.equal(await appender.flush(), true)
    assert.equal(b.events.length, 300)
  })

  it('verifies the certificate and the host name, and takes Node’s TLS options', async () => {
    const authority = new TestCertificate('authority')
    const { cert, key } = new TestCertificate('receiver', authority, ['127.0.0.1'])
    const named = new TestCertificate('other', authority, ['elsewhere.test'])
    const a = await receiver({ tls: { cert, key } })
    const b = await receiver({ tls: { cert: named.cert, key: named.key } })
    const delivers = async (to: MockReceiver, tls: AppenderOptions['tls']) => {
      const appender = appenderTo([to], { tls })
      appender.append(record('x'))
      const done = await appender.flush({ timeoutMs: 300 })
      await appender.close({ timeoutMs: 0 })
      return done
    }
    assert.equal(await delivers(a, { ca: authority.cert }), true)
    assert.equal(await delivers(a, { ca: [new Uint8Array(Buffer.from(authority.cert))] }), true)
    assert.equal(await delivers(a, true), false)
    assert.equal(await delivers(b, { ca: authority.cert }), false)
    assert.equal(await delivers(b, { ca: authority.cert, servername: 'elsewhere.test' }), true)
    assert.equal(await delivers(b, { rejectUnauthorized: false }), true)
  })

  it('shows a client certificate, as PEM or as PKCS#12', async () => {
    const authority = new TestCertificate('authority')
    const { cert, key } = new TestCertificate('receiver', authority, ['127.0.0.1'])
    const ca = authority.cert
    const a = await receiver({ tls: { cert, key, ca, clientAuth: 'need' } })
    const client = new TestCertificate('client', authority)
    const delivers = async (tls: AppenderOptions['tls']) => {
      const appender = appenderTo([a], { tls })
      appender.append(record('x'))
      const done = await appender.flush({ timeoutMs: 300 })
      await appender.close({ timeoutMs: 0 })
      return done
    }
    const pfx = new Uint8Array(client.toPfx('secret'))
    assert.equal(await delivers({ ca }), false)
    assert.equal(await delivers({ ca, cert: client.cert, key: client.key }), true)
    assert.equal(await delivers({ ca, pfx, passphrase: 'secret' }), true)
    assert.throws(() => appenderTo([a], { tls: { ca, pfx, passphrase: 'wrong' } }), {
      message: /^tls\.pfx, tls\.passphrase cannot be used: /,
    })
  })

  it('compresses', async () => {
    const a = await receiver({ compression: 'deflate' })
    const appender = appenderTo([a], { compression: 'deflate' })
    for (const n of numbers(0, 1_000)) appender.append(record(n.repeat(100)))
    assert.equal(await appender.flush(), true)
    assert.equal(a.events.length, 1_000)
  })

  it('delivers each of 10,000 records at least once while receivers come and go', async () => {
    const receivers = [await receiver(), await receiver(), await receiver()]
    const appender = appenderTo(receivers, { queue: { maxEvents: 20_000 }, maxInFlight: 2 })
    const random = seededRandom(20_261_124)
    const pick = () => receivers[Math.floor(random() * 3)] as MockReceiver
    for (const one of receivers) {
      one.respond(() => {
        const dice = random()
        if (dice < 0.05) return 'fail'
        if (dice < 0.08) return 'drop'
        return dice < 0.11 ? 'keep-then-drop' : 'ok'
      })
    }
    let next = 0
    while (next < 10_000) {
      const until = next + Math.floor(random() * 400)
      for (; next < Math.min(until, 10_000); next += 1) appender.append(record(String(next)))
      const dice = random()
      if (dice < 0.2) await pick().close()
      else if (dice < 0.6) await pick().reopen()
      else await new Promise((resolve) => setImmediate(resolve))
      assert.equal(imbalance(appender), 0)
    }
    for (const one of receivers) await one.reopen()
    assert.equal(await appender.flush({ timeoutMs: 15_000 }), true)
    const stored = new Set(receivers.flatMap(texts))
    assert.deepEqual(
      numbers(0, 10_000).filter((n) => !stored.has(n)),
      [],
    )
    assert.equal(appender.state().delivered, 10_000)
  })
})
