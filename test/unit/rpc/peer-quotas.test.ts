import assert from 'node:assert/strict'
import { type PeerQuotas, PeerTable } from '@millrace/rpc/internal/server/peer-quotas'
import { FakeClock } from '@millrace/testkit'

describe('quotas of one address', () => {
  const open = (quotas: Partial<PeerQuotas>) => {
    const clock = new FakeClock()
    const lines: string[] = []
    const table = new PeerTable({ quotas, clock, refused: (line) => void lines.push(line) })
    const connect = (address = '10.0.0.7') => {
      const account = table.connected(address)
      assert.ok(account)
      return account
    }
    return { clock, lines, table, connect }
  }

  it('let the average through, and a second’s worth at once after a pause', async () => {
    const { clock, connect } = open({ eventsPerSecond: 100 })
    const account = connect()
    await clock.advance(60_000)
    let taken = 0
    let refused = 0
    for (let ms = 0; ms < 10_000; ms += 10) {
      try {
        account.take(5, 1)
        taken += 5
      } catch {
        refused += 1
      }
      await clock.advance(10)
    }
    assert.ok(taken >= 1_090 && taken <= 1_105, `${taken} events in ten seconds`)
    assert.equal(taken / 5 + refused, 1_000)
  })

  it('take a call that is larger than a second’s worth, and nothing until it is paid for', async () => {
    const { clock, connect } = open({ bytesPerSecond: 1_000 })
    const account = connect()
    account.take(1, 5_000)
    await clock.advance(4_000)
    assert.throws(() => account.take(1, 1), { code: 'MILLRACE_RPC_QUOTA', retryable: true })
    await clock.advance(1)
    account.take(1, 1)
  })

  it('refuse a call for one limit without taking of the other', async () => {
    const { clock, connect } = open({ eventsPerSecond: 10, bytesPerSecond: 1_000 })
    const account = connect()
    account.take(1, 2_000)
    for (let i = 0; i < 50; i += 1) {
      assert.throws(() => account.take(10, 1), /quota of 1000 bytes per second/)
    }
    await clock.advance(1_001)
    account.take(10, 1)
    assert.throws(() => account.take(1, 1), /quota of 10 events per second/)
  })

  it('are shared by its connections, kept when it comes back, and not by other addresses', () => {
    const { table, connect } = open({ eventsPerSecond: 10, connections: 2 })
    const first = connect()
    first.take(10, 1)
    assert.equal(connect('::ffff:10.0.0.7'), first)
    assert.equal(table.connected('10.0.0.7'), undefined)
    table.disconnected(first)
    table.disconnected(first)
    assert.throws(() => connect().take(1, 1), { code: 'MILLRACE_RPC_QUOTA' })
    connect('10.0.0.8').take(10, 1)
    connect('::1').take(10, 1)
  })

  it('remember 4,096 addresses that left, and every one that is there', () => {
    const { table, connect } = open({ eventsPerSecond: 10 })
    const stays = connect('1.1.1.1')
    stays.take(100, 1)
    for (let i = 0; i < 10_000; i += 1) {
      table.disconnected(connect(`10.0.${i >> 8}.${i & 255}`))
      assert.ok(table.size <= 4_097)
    }
    assert.equal(table.size, 4_097)
    assert.equal(connect('1.1.1.1'), stays)
  })

  it('are named in one line for each address in 30 seconds', async () => {
    const { clock, lines, table, connect } = open({ eventsPerSecond: 10, connections: 1 })
    const accounts = [connect('10.0.0.1'), connect('10.0.0.2')]
    for (const account of accounts) account.take(10_000, 1)
    for (let ms = 0; ms < 60_000; ms += 1_000) {
      for (const account of accounts) assert.throws(() => account.take(1, 1))
      if (ms === 15_000) table.connected('10.0.0.1')
      await clock.advance(1_000)
    }
    const text = 'is answered FAILED: its quota of 10 events per second is used up'
    assert.deepEqual(lines, [
      `a call of 10.0.0.1 ${text}`,
      `a call of 10.0.0.2 ${text}`,
      `a call of 10.0.0.1 ${text} (and 30 times before)`,
      `a call of 10.0.0.2 ${text} (and 29 times before)`,
    ])
  })
})
