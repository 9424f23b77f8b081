import assert from 'node:assert/strict'
import { constants, inflateSync } from 'node:zlib'
import { avroSink } from '@millrace/agent-core/internal/sinks/avro'
import type { Sink } from '@millrace/component'
import {
  ChannelError,
  type Clock,
  messageOf,
  seededRandom,
  silentLogger,
  systemClock,
} from '@millrace/runtime'
import { FakeClock } from '@millrace/testkit'
import { batchOf, noAbort, sinkContext } from '../../support/component-context.js'
import { RawServer } from '../../support/rpc/raw-peer.js'
import { Closing, startServer } from '../../support/rpc/test-server.js'
import { until } from '../../support/until.js'

type Options = Parameters<typeof avroSink.create>[0]['options']

const DEFAULTS = Object.fromEntries(
  Object.entries(avroSink.options).map(([name, spec]) => [name, spec.fallback]),
) as unknown as Options
/** Far below the defaults of 20 s, far above what an answer takes. */
const SOON_MS = 5_000

const causeOf = (error: unknown) => messageOf((error as Error).cause)

describe('settings of an avro sink that its client must get', () => {
  const closing = new Closing()

  async function start(
    ports: readonly number[],
    options: Partial<Options>,
    clock: Clock = systemClock,
  ): Promise<Sink> {
    const hosts = ports.map((_, i) => `h${i + 1}`)
    const sink = avroSink.create({
      agent: 'a1',
      name: 'k1',
      options: {
        ...DEFAULTS,
        hosts,
        hostsByAlias: Object.fromEntries(
          ports.map((port, i) => [`h${i + 1}`, `127.0.0.1:${port}`]),
        ),
        ...options,
      },
      logger: silentLogger,
      clock,
      random: seededRandom(1),
      createSerializer: () => assert.fail('an avro sink has no serializer'),
    })
    await sink.start?.(sinkContext())
    closing.step(() => sink.stop?.({ deadlineMs: 100 }))
    return sink
  }
  const serve = () => startServer({}, closing.step)
  const write = (sink: Sink, ...bodies: string[]) => sink.write(batchOf(...bodies), noAbort)

  it('connect-timeout and request-timeout end a call without an answer', async () => {
    const silent = closing.add(await RawServer.listen())
    const beganMs = performance.now()
    const first = await start([silent.port], { connectTimeoutMs: 50 })
    await assert.rejects(write(first, 'x'), /timed out/)
    const { port, handler } = await serve()
    const later = await start([port], { requestTimeoutMs: 50 })
    await write(later, '1')
    handler.isManual = true
    await assert.rejects(write(later, '2'), /timed out/)
    assert.ok(performance.now() - beganMs < SOON_MS)
  })

  it('batch-size is the most events of one call', async () => {
    const { port, handler } = await serve()
    const bodies = Array.from({ length: 150 }, (_, n) => `e${n}`)
    await write(await start([port], { batchSize: 150 }), ...bodies)
    await write(await start([port], { batchSize: 50 }), ...bodies)
    assert.deepEqual(
      handler.calls.map(({ batch }) => batch.size),
      [150, 50, 50, 50],
    )
  })

  it('compression-level is that of deflate', async () => {
    const sizes: number[] = []
    for (const compressionLevel of [0, 9]) {
      const server = closing.add(await RawServer.listen())
      const sink = await start([server.port], { compression: 'deflate', compressionLevel })
      write(sink, 'a'.repeat(10_000)).catch(() => {})
      const peer = await server.accept()
      const isWhole = () => {
        const { received } = peer
        if (received.length === 0) return false
        return inflateSync(received, { finishFlush: constants.Z_SYNC_FLUSH }).length > 10_000
      }
      await until(isWhole, { what: 'the call' })
      sizes.push(peer.received.length)
    }
    const [stored = 0, packed = 0] = sizes
    assert.ok(stored > 10_000 && packed < 1_000, sizes.join(' > '))
  })

  it('tls-deflate-order says what is outermost', async () => {
    const first: (number | undefined)[] = []
    for (const tlsDeflateOrder of ['v1.10', 'v1.9'] as const) {
      const server = closing.add(await RawServer.listen())
      await start([server.port], { ssl: true, compression: 'deflate', tlsDeflateOrder })
      const peer = await server.accept()
      first.push((await peer.read(1))[0])
    }
    assert.deepEqual(first, [0x78, 0x16])
  })

  it('max-attempts bounds the sends of a batch', async () => {
    const servers = [await serve(), await serve()]
    for (const { handler } of servers)
      handler.decide = () => {
        throw new ChannelError('MILLRACE_CHANNEL_FULL', 'full')
      }
    const ports = servers.map(({ port }) => port)
    const options = { clientType: 'default_failover', maxAttempts: 1 }
    await assert.rejects(write(await start(ports, options), 'x'), /in 1 attempts/)
    assert.deepEqual(
      servers.map(({ handler }) => handler.calls.length),
      [1, 0],
    )
  })

  it('host-selector is the order of the hosts', async () => {
    for (const [hostSelector, isInTurn] of [
      ['ROUND_ROBIN', true],
      ['RANDOM', false],
    ] as const) {
      const servers = [await serve(), await serve()]
      const ports = servers.map(({ port }) => port)
      const sink = await start(ports, { clientType: 'default_loadbalance', hostSelector })
      const order: number[] = []
      for (let n = 0; n < 20; n += 1) {
        const before = servers.map(({ handler }) => handler.calls.length)
        await write(sink, 'x')
        order.push(servers.findIndex(({ handler }, i) => handler.calls.length > (before[i] ?? 0)))
      }
      const inTurn = order.every((host, n) => n === 0 || host !== order[n - 1])
      assert.equal(inTurn, isInTurn, order.join(' '))
    }
  })

  it('backoff leaves failing hosts out, for maxBackoff at most', async () => {
    const clock = new FakeClock()
    const balancing = { clientType: 'default_loadbalance' }
    const tries = async (sink: Sink) => write(sink, 'x').then(() => 'stored', causeOf)
    const plain = await start([1, 2], balancing, clock)
    assert.deepEqual(
      [await tries(plain), await tries(plain)],
      ['No host took the events', 'No host took the events'],
    )
    const sink = await start([1, 2], { ...balancing, backoff: true, maxBackoffMs: 1_000 }, clock)
    assert.equal(await tries(sink), 'No host took the events')
    assert.equal(await tries(sink), 'All hosts are backing off')
    await clock.advance(1_001)
    assert.equal(await tries(sink), 'No host took the events')
  })
})
