/** An agent that the tests of one suite attack, while a well-behaved client goes on beside them. */
import assert from 'node:assert/strict'
import { AgentProcess, type AgentProcessOptions } from './agent-process.js'
import { NumberedClient } from './numbered-client.js'

export interface AttackedAgent {
  readonly process: AgentProcess
  readonly good: NumberedClient
  readonly port: number
}

/** Most memory of the agent whatever it is sent, in bytes. It has some 70 MB when nothing happens. */
const MOST_MEMORY_BYTES = 180_000_000

/**
 * Registers hooks of mocha: the agent starts before the first test; after each one it still runs, the
 * good client is still served on the connection that it has, and memory is bounded; after the last
 * one every acknowledged event is in the stored files.
 */
export function attackedAgent(
  options: () => Promise<AgentProcessOptions> = async () => ({}),
): AttackedAgent {
  let agent: AgentProcess | undefined
  let good: NumberedClient | undefined
  const started = () => {
    assert.ok(agent && good, 'the agent is started before the tests')
    return { agent, good }
  }
  before(async () => {
    agent = await AgentProcess.start(await options())
    good = new NumberedClient(agent.port, 'good').start()
    await good.goesOn(20)
  })
  afterEach(async () => {
    const { agent, good } = started()
    assert.ok(agent.isRunning, agent.log)
    await good.goesOn()
    assert.deepEqual(good.failures, [])
    assert.ok(agent.peakBytes() < MOST_MEMORY_BYTES, `${agent.peakBytes()} bytes at the peak`)
  })
  after(async () => {
    const { agent, good } = started()
    await good.stop()
    try {
      await agent.stop()
    } finally {
      await agent.kill()
    }
    good.audit(agent.stored())
    assert.equal(good.doubledIn(agent.stored()), 0)
  })
  return {
    get process() {
      return started().agent
    },
    get good() {
      return started().good
    },
    get port() {
      return started().agent.port
    },
  }
}
