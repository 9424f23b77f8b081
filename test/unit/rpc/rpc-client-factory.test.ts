import assert from 'node:assert/strict'
import {
  AvroRpcClient,
  createRpcClient,
  FailoverRpcClient,
  LoadBalancingRpcClient,
  parseHostAddress,
  type RpcClientProperties,
} from '@millrace/rpc'
import { createLogger } from '@millrace/runtime'
import { FakeClock } from '@millrace/testkit'
import { EventBatch } from '@millrace/event'
import { FIRST_OK } from '../../support/rpc/golden.js'
import { RawServer } from '../../support/rpc/raw-peer.js'
import { Closing } from '../../support/rpc/test-server.js'
import { until } from '../../support/until.js'

const TWO_HOSTS = { hosts: 'h1 h2', 'hosts.h1': '127.0.0.1:1', 'hosts.h2': '127.0.0.1:2' }

describe('createRpcClient', () => {
  const closing = new Closing()
  const create = (properties: RpcClientProperties) => {
    const log: string[] = []
    const logger = createLogger({ level: 'warn', write: (line) => void log.push(line) })
    return { client: createRpcClient({ ...TWO_HOSTS, ...properties }, { logger }), log }
  }

  it("makes the client that client.type names, in any case, and by Flume's class", () => {
    for (const [type, expected] of [
      ['DEFAULT', AvroRpcClient],
      ['default', AvroRpcClient],
      ['org.apache.flume.api.NettyAvroRpcClient', AvroRpcClient],
      ['DEFAULT_FAILOVER', FailoverRpcClient],
      ['Default_Failover', FailoverRpcClient],
      ['org.apache.flume.api.FailoverRpcClient', FailoverRpcClient],
      ['default_loadbalance', LoadBalancingRpcClient],
      ['org.apache.flume.api.LoadBalancingRpcClient', LoadBalancingRpcClient],
    ] as const) {
      assert.ok(create({ 'client.type': type }).client instanceof expected, type)
    }
    assert.ok(create({}).client instanceof AvroRpcClient)
  })

  it('refuses by name what it does not support', () => {
    for (const properties of [
      { 'client.type': 'THRIFT' },
      { 'client.type': 'com.example.Mine' },
      { 'client.type': 'default_loadbalance', 'host-selector': 'com.example.Mine' },
      { 'client.type': 'default_loadbalance', maxBackoff: 'x' },
      { 'client.type': 'default_failover', 'max-attempts': '0' },
      { 'compression-type': 'gzip' },
      { 'compression-level': '10' },
      { ssl: 'true', 'exclude-protocols': 'TLSv1' },
      { hosts: '' },
      { hosts: 'h1 h3' },
      { 'hosts.h1': 'localhost' },
      { 'hosts.h1': 'localhost:70000' },
      { 'hosts.h1': 'a:1:2' },
    ]) {
      assert.throws(() => create(properties), { code: 'MILLRACE_OPTION_INVALID' })
    }
  })

  it('gives a default client the first of its hosts', async () => {
    const servers = [closing.add(await RawServer.listen()), closing.add(await RawServer.listen())]
    const { client, log } = create({
      'hosts.h1': `127.0.0.1:${servers[0]?.port}`,
      'hosts.h2': `127.0.0.1:${servers[1]?.port}`,
    })
    closing.add(client)
    const sent = client.append(EventBatch.of([{ body: 'x' }]))
    const peer = await until(() => servers.flatMap(({ peers }) => peers)[0], {
      what: 'a connection',
    })
    assert.equal(servers[1]?.peers.length, 0)
    assert.match(log[0] ?? '', /only the first of its hosts/)
    await peer.readFrame()
    peer.write(FIRST_OK)
    await sent
  })

  it('leaves failing hosts out for a while with backoff, and not without', async () => {
    for (const [backoff, cause] of [
      ['true', /^All hosts are backing off/],
      ['false', /^No host took the events/],
    ] as const) {
      const { client } = create({ 'client.type': 'default_loadbalance', backoff })
      closing.add(client)
      const send = () => client.append(EventBatch.of([{ body: 'x' }]))
      await assert.rejects(send(), /^RpcError: No host took the events/)
      await assert.rejects(send(), { message: cause })
    }
  })

  it('replaces batch sizes and time limits that make no sense, and says so', () => {
    for (const value of ['0', '-3', 'many', '']) {
      const { client, log } = create({ 'batch-size': value })
      assert.ok(client instanceof AvroRpcClient)
      assert.equal(client.batchSize, 100)
      assert.match(log[0] ?? '', /batch-size = .* 100 is taken/)
    }
    const { client } = create({ 'batch-size': '7' })
    assert.ok(client instanceof AvroRpcClient && client.batchSize === 7)
    const { log } = create({ 'connect-timeout': '999', 'request-timeout': 'x', maxIoWorkers: '3' })
    assert.equal(log.filter((line) => /timeout = .* 20000 is taken/.test(line)).length, 2)
    assert.equal(log.filter((line) => /maxIoWorkers has no effect/.test(line)).length, 1)
  })

  it('applies the time limits', async () => {
    const clock = new FakeClock()
    const server = closing.add(await RawServer.listen())
    const client = createRpcClient(
      {
        hosts: 'h',
        'hosts.h': `127.0.0.1:${server.port}`,
        'connect-timeout': '1000',
        'request-timeout': '4000',
      },
      { clock },
    )
    const event = EventBatch.of([{ body: 'x' }])
    const first = client.append(event)
    const peer = await server.accept()
    await peer.readFrame()
    assert.equal(clock.nextTimerMs, 1_000)
    peer.write(FIRST_OK)
    await first
    const second = client.append(event)
    second.catch(() => {})
    await peer.readFrame()
    assert.equal(clock.nextTimerMs, 4_000)
    peer.socket.destroy()
    await client.close()
  })

  it('reads host:port, IPv6 in brackets too', () => {
    assert.deepEqual(parseHostAddress(' log1.example:41414 '), {
      host: 'log1.example',
      port: 41414,
    })
    assert.deepEqual(parseHostAddress('[::1]:4141'), { host: '::1', port: 4141 })
    for (const wrong of ['', 'a', 'a:', ':1', 'a:0', 'a:65536', '::1:4', 'a b:1']) {
      assert.throws(() => parseHostAddress(wrong), { code: 'MILLRACE_OPTION_INVALID' }, wrong)
    }
  })
})
