import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { AgentProcess, toAvroSink } from '../../support/agent-process.js'
import { freePort } from '../../support/free-port.js'
import { NumberedClient } from '../../support/numbered-client.js'
import { Closing } from '../../support/rpc/test-server.js'
import { until } from '../../support/until.js'

const CLIENTS = 4

describe('an agent that is stopped or reloaded under load', () => {
  const closing = new Closing()
  const start = async (...options: Parameters<typeof AgentProcess.start>) => {
    const agent = await AgentProcess.start(...options)
    closing.step(() => agent.kill())
    return agent
  }
  const clients = (port: number, count = CLIENTS) =>
    Array.from({ length: count }, (_, i) => {
      const client = new NumberedClient(port, `load${i}`, { batchSize: 50, pauseMs: 0 }).start()
      closing.step(() => client.stop())
      return client
    })

  it('SIGTERM: calls begun are answered, the channel is drained, and every acknowledged event is stored once', async () => {
    const agent = await start({ settings: { 'channels.c1.capacity': '100000' } })
    const load = clients(agent.port)
    await Promise.all(load.map((client) => client.goesOn(50)))
    const { stderr } = await agent.stop()
    assert.match(stderr.trimEnd().split('\n').at(-1) ?? '', /memory channels: 0$/)
    await Promise.all(load.map((client) => client.stop()))
    const stored = agent.stored()
    for (const client of load) {
      client.audit(stored)
      assert.equal(client.doubledIn(stored), 0)
    }
  })

  it('SIGTERM before a slow sink has drained: the last line counts what is lost, and no more is', async () => {
    const deaf = createServer().listen(0, '127.0.0.1')
    closing.add(deaf)
    await once(deaf, 'listening')
    const address = deaf.address()
    const agent = await start({
      settings: toAvroSink(typeof address === 'object' ? (address?.port ?? 0) : 0),
      args: ['--stop-timeout', '0.5'],
    })
    const [client] = clients(agent.port, 1)
    await client?.goesOn(3)
    await client?.stop()
    const beganMs = performance.now()
    const { stderr } = await agent.stop()
    assert.ok(performance.now() - beganMs < 3_000)
    const held = /memory channels: (\d+) \(c1: \1\), which are lost/.exec(stderr)?.[1]
    assert.equal(Number(held), client?.acknowledged)
  })

  it('a second SIGTERM ends it at once, with 1, and what was written is whole', async () => {
    const agent = await start()
    const load = clients(agent.port)
    await Promise.all(load.map((client) => client.goesOn(20)))
    agent.command.kill('SIGTERM')
    agent.command.kill('SIGTERM')
    const { code, signal } = await agent.command.finished
    // The first one can have done its work before the second came.
    assert.ok(signal === null && (code === 1 || code === 0), `${code} ${signal}`)
    await Promise.all(load.map((client) => client.stop()))
    for (const body of agent.stored().keys()) assert.match(body, /^load\d-\d+$/)
  })

  it('reloads: the file is touched again and again, and every acknowledged event is stored', async () => {
    const agent = await start({ args: ['--poll-interval', '0.05'] })
    const load = clients(agent.port)
    for (let reload = 1; reload <= 5; reload += 1) {
      await Promise.all(load.map((client) => client.goesOn(20)))
      agent.write({ 'channels.c1.capacity': String(10_000 + reload) })
      await until(() => (agent.log.match(/as it is now is in use/g) ?? []).length === reload, {
        timeoutMs: 10_000,
        what: () => `reload ${reload}:\n${agent.log}`,
      })
    }
    await Promise.all(load.map((client) => client.goesOn(20)))
    await Promise.all(load.map((client) => client.stop()))
    await agent.stop()
    const stored = agent.stored()
    for (const client of load) client.audit(stored)
    assert.doesNotMatch(agent.log, / ERROR /)
  })

  it('reloads of a file with an error change nothing, and nobody notices', async () => {
    const agent = await start({ args: ['--poll-interval', '0.05'] })
    const [client] = clients(agent.port, 1)
    await client?.goesOn()
    agent.write({ 'sinks.k1.type': 'nothing' })
    await agent.command.shows(/has errors: the configuration stays as it is/)
    await client?.goesOn()
    await client?.stop()
    assert.deepEqual(client?.failures, [])
    await agent.stop()
    client?.audit(agent.stored())
  })
})

describe('an agent that cannot start', () => {
  it('on a port in use: tries for --start-timeout, then one clear line and exit code 1, never ready', async () => {
    const holder = createServer().listen(0, '127.0.0.1')
    await once(holder, 'listening')
    const address = holder.address()
    const port = typeof address === 'object' ? address?.port : undefined
    const agent = await AgentProcess.launch({ port: port ?? 0, args: ['--start-timeout', '0.3'] })
    const beganMs = performance.now()
    const { code, stdout, stderr } = await agent.command.finished
    holder.close()
    assert.deepEqual([code, stdout], [1, ''])
    assert.ok(performance.now() - beganMs >= 280)
    assert.match(
      stderr,
      new RegExp(
        `ERROR .*Agent a1 did not start: source r1 could not start: Cannot listen on 127\\.0\\.0\\.1:${port}: .*EADDRINUSE`,
      ),
    )
  })

  it('starts after all when the port becomes free within --start-timeout', async () => {
    const port = await freePort()
    const holder = createServer().listen(port, '127.0.0.1')
    await once(holder, 'listening')
    const agent = await AgentProcess.launch({ port })
    await agent.command.shows(/EADDRINUSE/)
    assert.equal(agent.command.stdout, '')
    holder.close()
    await agent.command.shows(/^ready agent=a1\b/m)
    const client = new NumberedClient(port, 'late').start()
    await client.goesOn()
    await client.stop()
    await agent.stop()
    client.audit(agent.stored())
  })
})
