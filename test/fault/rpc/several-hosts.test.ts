import assert from 'node:assert/strict'
import { EventBatch } from '@millrace/event'
import {
  AvroRpcServer,
  FailoverRpcClient,
  type HostAddress,
  LoadBalancingRpcClient,
  type RpcClient,
} from '@millrace/rpc'
import { ChannelError, seededRandom } from '@millrace/runtime'
import { FakeClock } from '@millrace/testkit'
import { Closing, RecordingHandler } from '../../support/rpc/test-server.js'

/** An agent that can be stopped and started again at its port. */
class Agent {
  readonly handler = new RecordingHandler()
  #server: AvroRpcServer | undefined
  #port = 0

  async start(): Promise<void> {
    this.#server = new AvroRpcServer({ host: '127.0.0.1', port: this.#port, handler: this.handler })
    const { port } = await this.#server.listen()
    this.#port = port
  }

  async stop(): Promise<void> {
    await this.#server?.close({ deadlineMs: 200 })
  }

  get address(): HostAddress {
    return { host: '127.0.0.1', port: this.#port }
  }
}

const event = (body: string) => EventBatch.of([{ body }])
const batch = (...bodies: string[]) => EventBatch.of(bodies.map((body) => ({ body })))

describe('clients of several hosts', () => {
  const closing = new Closing()
  const startAgents = async (count: number) => {
    const agents = Array.from({ length: count }, () => new Agent())
    for (const agent of agents) {
      await agent.start()
      closing.step(() => agent.stop())
    }
    return agents
  }
  const hostsOf = (agents: readonly Agent[]) => agents.map(({ address }) => address)
  const stored = (agents: readonly Agent[]) => agents.map(({ handler }) => handler.bodies.join(' '))
  const send = async (client: RpcClient, ...bodies: string[]) => {
    for (const body of bodies) await client.append(event(body))
  }

  describe('FailoverRpcClient', () => {
    it('stays with the first host, goes on to the next in the list, and wraps round', async () => {
      const agents = await startAgents(3)
      const client = closing.add(new FailoverRpcClient({ hosts: hostsOf(agents) }))
      await send(client, 'a', 'b')
      await agents[0]?.stop()
      await send(client, 'c')
      await agents[0]?.start()
      await send(client, 'd')
      await agents[1]?.stop()
      await send(client, 'e')
      await agents[2]?.stop()
      await send(client, 'f')
      assert.deepEqual(stored(agents), ['a b f', 'c d', 'e'])
      assert.equal(client.isActive, true)
    })

    it('goes on after FAILED, with one attempt for each host, and begins anew at the next call', async () => {
      const agents = await startAgents(3)
      for (const { handler } of agents) {
        handler.decide = () => {
          throw new ChannelError('MILLRACE_CHANNEL_FULL', 'full')
        }
      }
      const client = closing.add(new FailoverRpcClient({ hosts: hostsOf(agents) }))
      await assert.rejects(client.appendBatch(event('a')), {
        code: 'MILLRACE_RPC_NO_HOST',
        retryable: true,
      })
      assert.deepEqual(stored(agents), ['a', 'a', 'a'])
      for (const { handler } of agents) handler.decide = () => {}
      await client.appendBatch(event('b'))
      assert.deepEqual(stored(agents), ['a b', 'a', 'a'])
    })

    it('takes no more attempts than it may', async () => {
      const agents = await startAgents(3)
      for (const { handler } of agents) {
        handler.decide = () => {
          throw new Error('no')
        }
      }
      const client = closing.add(new FailoverRpcClient({ hosts: hostsOf(agents), maxAttempts: 2 }))
      await assert.rejects(client.append(event('a')), { code: 'MILLRACE_RPC_NO_HOST' })
      assert.deepEqual(stored(agents), ['a', 'a', ''])
    })

    it('fails at once when no host can be connected, and works again when one can', async () => {
      const agents = await startAgents(2)
      const client = closing.add(new FailoverRpcClient({ hosts: hostsOf(agents) }))
      for (const agent of agents) await agent.stop()
      await assert.rejects(client.append(event('a')), { code: 'MILLRACE_RPC_NO_HOST' })
      await agents[1]?.start()
      await client.append(event('b'))
      assert.deepEqual(stored(agents), ['', 'b'])
    })

    it('does not send again to the next host what one has acknowledged', async () => {
      const agents = await startAgents(2)
      const [first] = agents
      const client = closing.add(new FailoverRpcClient({ hosts: hostsOf(agents), batchSize: 2 }))
      if (first) {
        first.handler.decide = (sent) => {
          if (sent.bodyAt(0).toString() === 'c') throw new Error('not this one')
        }
      }
      await client.appendBatch(batch('a', 'b', 'c', 'd', 'e'))
      assert.deepEqual(stored(agents), ['a b c d', 'c d e'])
    })

    it('does not go on for what is not the fault of a host', async () => {
      const agents = await startAgents(2)
      const client = closing.add(new FailoverRpcClient({ hosts: hostsOf(agents) }))
      await assert.rejects(client.append(batch('a', 'b')), RangeError)
      await assert.rejects(client.append(event('a'), { signal: AbortSignal.abort() }), {
        name: 'AbortError',
      })
      assert.deepEqual(stored(agents), ['', ''])
      await client.append(event('c'))
      assert.deepEqual(stored(agents), ['c', ''])
    })

    it('is closed twice, gives up what is on its way, and takes nothing afterwards', async () => {
      const agents = await startAgents(2)
      const client = new FailoverRpcClient({ hosts: hostsOf(agents) })
      if (agents[0]) agents[0].handler.isManual = true
      const pending = client.append(event('a'))
      const rejected = assert.rejects(pending, { code: 'MILLRACE_RPC_CLOSED' })
      await new Promise((resolve) => setImmediate(resolve))
      await client.close()
      await client.close()
      await rejected
      assert.equal(client.isActive, false)
      await assert.rejects(client.append(event('b')), { code: 'MILLRACE_RPC_CLOSED' })
      await client.appendBatch(EventBatch.empty())
    })
  })

  describe('LoadBalancingRpcClient', () => {
    it('begins each call at the next host', async () => {
      const agents = await startAgents(3)
      const client = closing.add(new LoadBalancingRpcClient({ hosts: hostsOf(agents) }))
      await send(client, 'a', 'b', 'c', 'd')
      assert.deepEqual(stored(agents), ['a d', 'b', 'c'])
    })

    it('begins at a random host when it is told to', async () => {
      const agents = await startAgents(2)
      const client = closing.add(
        new LoadBalancingRpcClient({
          hosts: hostsOf(agents),
          hostSelector: 'random',
          random: seededRandom(1),
        }),
      )
      await send(client, ...Array.from({ length: 40 }, (_, i) => `e${i}`))
      const counts = agents.map(({ handler }) => handler.calls.length)
      assert.equal((counts[0] ?? 0) + (counts[1] ?? 0), 40)
      assert.ok(
        counts.every((count) => count > 8),
        counts.join(' '),
      )
    })

    it('goes on to the next host when one is away, and comes back to it', async () => {
      const agents = await startAgents(2)
      const client = closing.add(new LoadBalancingRpcClient({ hosts: hostsOf(agents) }))
      await send(client, 'a', 'b')
      await agents[0]?.stop()
      await send(client, 'c', 'd', 'e')
      await agents[0]?.start()
      await send(client, 'f', 'g')
      assert.deepEqual(stored(agents), ['a g', 'b c d e f'])
    })

    it('leaves a failing host out for two seconds, then four, with back-off', async () => {
      const agents = await startAgents(2)
      const clock = new FakeClock()
      const hosts = hostsOf(agents)
      const client = new LoadBalancingRpcClient({ hosts, backoff: true, clock })
      closing.step(() => {
        const closed = client.close()
        setImmediate(() => void clock.advance(1_000))
        return closed
      })
      const [first] = agents
      let attempts = 0
      if (first) {
        first.handler.decide = () => {
          attempts += 1
          throw new Error('no')
        }
      }
      const round = async () => {
        attempts = 0
        await send(client, 'x', 'x', 'x', 'x')
        return attempts
      }
      // A failing client lingers on the clock, so the calls run beside its turning.
      const turned = async () => {
        let isDone = false
        const done = round().finally(() => {
          isDone = true
        })
        while (!isDone) await clock.advance(1)
        return done
      }
      assert.equal(await turned(), 1)
      assert.equal(await turned(), 0)
      await clock.advance(2_001)
      assert.equal(await turned(), 1)
      await clock.advance(2_001)
      assert.equal(await turned(), 0)
      await clock.advance(2_001)
      assert.equal(await turned(), 1)
    })

    it('fails when all hosts do, and when all are left out', async () => {
      const agents = await startAgents(2)
      for (const agent of agents) await agent.stop()
      for (const hostSelector of ['round_robin', 'random'] as const) {
        const client = closing.add(
          new LoadBalancingRpcClient({ hosts: hostsOf(agents), hostSelector, backoff: true }),
        )
        await assert.rejects(client.append(event('a')), /No host took the events/)
        await assert.rejects(client.append(event('a')), {
          code: 'MILLRACE_RPC_NO_HOST',
          message: /All hosts are backing off/,
        })
      }
    })

    it('needs two hosts, closes twice, and takes nothing afterwards', async () => {
      const agents = await startAgents(2)
      assert.throws(() => new LoadBalancingRpcClient({ hosts: hostsOf(agents).slice(1) }), {
        code: 'MILLRACE_OPTION_INVALID',
      })
      const client = new LoadBalancingRpcClient({ hosts: hostsOf(agents) })
      await send(client, 'a', 'b')
      await client.close()
      await client.close()
      assert.equal(client.isActive, false)
      await assert.rejects(client.append(event('c')), { code: 'MILLRACE_RPC_CLOSED' })
    })
  })

  it('lose nothing while agents are stopped and started under load', async () => {
    const agents = await startAgents(3)
    const hosts = hostsOf(agents)
    for (const client of [
      closing.add(new LoadBalancingRpcClient({ hosts })),
      closing.add(new FailoverRpcClient({ hosts })),
    ]) {
      let isOver = false
      const acknowledged: string[] = []
      const sending = (async () => {
        for (let i = 0; !isOver || i < 200; i += 1) {
          await client.appendBatch(event(`e${i}`)).then(
            () => acknowledged.push(`e${i}`),
            () => {},
          )
        }
      })()
      for (const agent of [...agents, ...agents]) {
        await agent.stop()
        await agent.start()
      }
      isOver = true
      await sending
      const all = new Set(agents.flatMap(({ handler }) => handler.bodies))
      assert.deepEqual(
        acknowledged.filter((body) => !all.has(body)),
        [],
      )
      assert.ok(acknowledged.length > 100)
      for (const { handler } of agents) handler.calls.length = 0
    }
  })
})
