import assert from 'node:assert/strict'
import { DeadLetters } from '@millrace/agent-core/internal/runners/dead-letters'
import { SinkWorker } from '@millrace/agent-core/internal/runners/sink-worker'
import { type Channel, SinkCounters, type Transaction } from '@millrace/component'
import type { EventBatch } from '@millrace/event'
import { silentLogger } from '@millrace/runtime'
import { FakeClock } from '@millrace/testkit'
import { batchOf, bodiesOf, HandSink } from '../../support/agent.js'

const { signal } = new AbortController()

describe('a sink worker with dead letters', () => {
  it('puts them away before it commits: what ends between doubles them and loses none', async () => {
    const clock = new FakeClock()
    const steps: string[] = []
    const dead: EventBatch[] = []
    let commits = 0
    const transaction: Transaction = {
      batch: batchOf('a', 'bad'),
      async commit() {
        steps.push('commit')
        commits += 1
        if (commits === 1) throw new Error('the disk failed')
      },
      async rollback() {
        steps.push('rollback')
      },
    }
    const fixed = { isDurable: true, transactionCapacity: 10, keepAliveMs: 0 }
    const size = { events: 0, bytes: 0 }
    const source: Channel = {
      ...fixed,
      size,
      reserve: () => Promise.reject(new Error('not used')),
      take: async () => transaction,
    }
    const channel: Channel = {
      ...fixed,
      size,
      async reserve() {
        const put = async (batch: EventBatch) => {
          steps.push('put')
          dead.push(batch)
        }
        return { put, release: () => {} }
      },
      take: async () => undefined,
    }
    const sink = new HandSink()
    sink.onWrite = async () => ({ rejected: [{ index: 1, reason: 'x'.repeat(2_000) }] })
    const worker = new SinkWorker({
      name: 'k1',
      sink,
      channel: source,
      counters: new SinkCounters(),
      deadLetters: new DeadLetters({ sink: 'k1', name: 'dead', channel, clock }),
      logger: silentLogger,
      clock,
    })
    await worker.start({ signal, fail: () => {} })
    await assert.rejects(worker.attempt(0, signal), /the disk failed/)
    assert.deepEqual(await worker.attempt(0, signal), { stored: 2, rejected: 0 })
    assert.deepEqual(steps, ['put', 'commit', 'rollback', 'put', 'commit'])
    assert.deepEqual(dead.flatMap(bodiesOf), ['bad', 'bad'])
    assert.equal(dead[0]?.headerAt(0, 'millrace.rejected.reason'), 'x'.repeat(1_000))
  })
})
