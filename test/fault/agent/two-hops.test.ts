import assert from 'node:assert/strict'
import { AgentProcess, toAvroSink } from '../../support/agent-process.js'
import { NumberedClient } from '../../support/numbered-client.js'
import { Closing } from '../../support/rpc/test-server.js'
import { until } from '../../support/until.js'

describe('an agent that hands on to a second one', () => {
  const closing = new Closing()
  const start = async (...options: Parameters<typeof AgentProcess.start>) => {
    const agent = await AgentProcess.start(...options)
    closing.step(() => agent.kill())
    return agent
  }

  it('loses nothing that it acknowledged while the second is stopped and started, and doubles at most', async () => {
    let second = await start()
    const { port, directory } = second
    const first = await start({
      settings: {
        ...toAvroSink(port),
        'channels.c1.capacity': '2000',
        'channels.c1.keep-alive': '0',
      },
    })
    const load = ['left', 'right'].map((name) => new NumberedClient(first.port, name).start())
    for (const client of load) closing.step(() => client.stop())
    await Promise.all(load.map((client) => client.goesOn(20)))
    await second.stop()
    // The first one's channel fills up: it refuses what it cannot keep.
    await until(
      () => load.some(({ failures }) => failures.some((text) => /Status: FAILED/.test(text))),
      { what: 'a call is refused' },
    )
    second = await start({ port, directory })
    await Promise.all(load.map((client) => client.goesOn(20)))
    await Promise.all(load.map((client) => client.stop()))
    // Its stop drains its channel into the second one.
    const { stderr } = await first.stop()
    assert.match(stderr.trimEnd().split('\n').at(-1) ?? '', /memory channels: 0$/)
    await second.stop()
    const stored = second.stored()
    const once = new Map([...stored].map(([body]) => [body, 1]))
    for (const client of load) client.audit(once)
    // The stop of the second can leave one batch of the sink without its answer.
    const doubled = load.reduce((sum, client) => sum + client.doubledIn(stored), 0)
    assert.ok(doubled <= 100, `${doubled} events are stored twice`)
    assert.ok([...stored.values()].every((count) => count <= 2))
    const retries = first.log.match(/WARN +sink k1: could not deliver/g) ?? []
    assert.ok(retries.length >= 1 && retries.length <= 4, first.log)
  })
})
