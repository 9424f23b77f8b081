import assert from 'node:assert/strict'
import { LOG4J_LEVEL } from '@millrace/appender'
import { RpcError } from '@millrace/runtime'
import { bench, imbalance, numbers, plainMapper, record } from '../../support/fake-receiver.js'

describe('flush and close of an appender', () => {
  it('flush bypasses the linger time and resolves true when all is acknowledged', async () => {
    const { appender, receivers } = bench({ batch: { lingerMs: 3_600_000 } })
    for (const n of numbers(0, 250)) appender.append(record(n))
    assert.equal(await appender.flush(), true)
    assert.deepEqual(receivers['a']?.stored, numbers(0, 250))
  })

  it('goes on after a flush, in time or not', async () => {
    const { appender, receivers, clock } = bench()
    const receiver = receivers['a']
    assert.ok(receiver)
    appender.append(record('1'))
    assert.equal(await appender.flush(), true)
    receiver.answer = () => 'silent'
    appender.append(record('2'))
    const late = appender.flush({ timeoutMs: 10 })
    await clock.advance(10)
    assert.equal(await late, false)
    appender.append(record('3'))
    assert.equal(appender.state().dropped.closed, 0)
    assert.equal(appender.state().isClosed, false)
    const closed = appender.close({ timeoutMs: 0 })
    await clock.advance(1_000)
    await closed
  })

  it('flush resolves true at once when nothing waits', async () => {
    assert.equal(await bench().appender.flush({ timeoutMs: 0 }), true)
  })

  it('flush waits for what was accepted before it, and for nothing else', async () => {
    const { appender, clock, receivers } = bench({ batch: { maxEvents: 1 } })
    const [a] = Object.values(receivers)
    assert.ok(a)
    a.answer = ([body]) => (body === 'later' ? 'silent' : 'ok')
    appender.append(record('before'))
    const flushed = appender.flush()
    appender.append(record('later'))
    await clock.advance(1_000)
    assert.equal(await flushed, true)
    assert.equal(appender.state().inFlight, 1)
  })

  it('flush waits for a batch that is on the way', async () => {
    const { appender, clock, receivers } = bench()
    const [a] = Object.values(receivers)
    assert.ok(a)
    let release = (): void => {}
    a.answer = () =>
      new Promise((resolve) => {
        release = () => resolve('ok')
      })
    appender.append(record('x'))
    await clock.advance(1_000)
    let isFlushed = false
    const flushed = appender.flush().then((done) => {
      isFlushed = true
      return done
    })
    await clock.advance(1_000)
    assert.equal(isFlushed, false)
    release()
    assert.equal(await flushed, true)
  })

  it('flush resolves false at its deadline, and the events stay', async () => {
    const { appender, clock, receivers } = bench()
    const [a] = Object.values(receivers)
    assert.ok(a)
    a.isUp = false
    appender.append(record('x'))
    const flushed = appender.flush({ timeoutMs: 2_000 })
    await clock.advance(1_999)
    await clock.advance(1)
    assert.equal(await flushed, false)
    assert.equal(appender.state().queued, 1)
    a.isUp = true
    await clock.advance(60_000)
    assert.deepEqual(a.stored, ['x'])
  })

  it('flush counts dropped events as settled', async () => {
    const { appender, clock, receivers } = bench({ queue: { maxEvents: 2 } })
    const [a] = Object.values(receivers)
    assert.ok(a)
    a.isUp = false
    appender.append(record('old'))
    const flushed = appender.flush({ timeoutMs: 60_000 })
    appender.append(record('new'))
    appender.append(record('newer'))
    await clock.advance(1)
    assert.equal(await flushed, true)
    assert.equal(appender.state().dropped.overflow, 1)
  })

  it('flush tries a host in back-off again, though not within backoff.minMs', async () => {
    const { appender, clock, receivers } = bench({ backoff: { minMs: 1_000, maxMs: 600_000 } })
    const [a] = Object.values(receivers)
    assert.ok(a)
    a.isUp = false
    appender.append(record('x'))
    await clock.advance(400_000)
    const before = a.attempts
    for (const _ of numbers(0, 100)) void appender.flush()
    await clock.advance(1_000)
    assert.equal(a.attempts, before + 1)
    a.isUp = true
    const flushed = appender.flush()
    await clock.advance(1_000)
    assert.equal(await flushed, true)
  })

  it('close delivers what waits, then refuses and counts records', async () => {
    const { appender, receivers } = bench()
    const [a] = Object.values(receivers)
    assert.ok(a)
    appender.append(record('last words'))
    await appender.close()
    assert.deepEqual(a.stored, ['last words'])
    assert.equal(a.connections.size, 0)
    appender.append(record('too late'))
    const state = appender.state()
    assert.equal(state.dropped.closed, 1)
    assert.equal(state.isClosed, true)
    assert.equal(imbalance(appender), 0)
    assert.equal(await appender.flush(), true)
  })

  it('close counts what is queued and on the way at its deadline, and leaves no timer', async () => {
    const { appender, clock, receivers } = bench({ batch: { maxEvents: 10 } })
    const [a] = Object.values(receivers)
    assert.ok(a)
    a.answer = () => 'silent'
    for (const n of numbers(0, 25)) appender.append(record(n))
    await clock.advance(1_000)
    const closed = appender.close({ timeoutMs: 3_000 })
    assert.equal(appender.close(), closed)
    await clock.advance(3_000)
    await closed
    const state = appender.state()
    assert.equal(state.dropped['close-deadline'], 25)
    assert.equal(state.queued + state.inFlight, 0)
    assert.equal(imbalance(appender), 0)
    assert.equal(a.connections.size, 0)
    assert.equal(clock.pendingTimers, 0)
  })

  it('close while a connection is being made ends that connection too', async () => {
    let connected = (): void => {}
    let closes = 0
    const { appender, clock } = bench(
      {},
      {
        connect: () =>
          new Promise((resolve) => {
            connected = () =>
              resolve({
                isActive: true,
                appendBatch: () => Promise.resolve(),
                close: () => {
                  closes += 1
                  return Promise.resolve()
                },
              })
          }),
      },
    )
    appender.append(record('x'))
    await clock.advance(1_000)
    const closed = appender.close({ timeoutMs: 10 })
    await clock.advance(10)
    await closed
    connected()
    await clock.advance(1)
    assert.equal(closes, 1)
    assert.equal(appender.state().dropped['close-deadline'], 1)
  })
})

describe('an appender hurts nobody', () => {
  it('counts a record whose mapper throws, and takes the next', async () => {
    const { appender, receivers, diagnostics } = bench(
      {},
      {
        mapper: {
          encode(one, writer) {
            plainMapper.encode(one, writer)
            if (one.text === 'bad') throw new Error('mapper')
          },
        },
      },
    )
    for (const text of ['one', 'bad', 'two']) appender.append(record(text))
    await appender.flush()
    assert.deepEqual(receivers['a']?.stored, ['one', 'two'])
    assert.equal(appender.state().dropped.encode, 1)
    assert.equal(diagnostics.find(({ kind }) => kind === 'encode-failed')?.count, 1)
  })

  it('takes a record that is logged while another one is encoded', async () => {
    const { appender, receivers } = bench(
      {},
      {
        mapper: {
          encode(one, writer) {
            if (one.text === 'outer') appender.append(record('inner'))
            plainMapper.encode(one, writer)
          },
        },
      },
    )
    appender.append(record('outer'))
    await appender.flush()
    assert.deepEqual(receivers['a']?.stored, ['outer', 'inner'])
  })

  it('ends when encoding a record logs without end', async () => {
    const { appender } = bench(
      {},
      {
        mapper: {
          encode(one, writer) {
            appender.append(one)
            appender.append(one)
            plainMapper.encode(one, writer)
          },
        },
      },
    )
    appender.append(record('x'))
    assert.equal(imbalance(appender), 0)
    assert.ok(appender.state().dropped.encode > 0)
    assert.equal(await appender.flush(), true)
  })

  it('reports each kind once in 30 seconds, with the count since', async () => {
    const { appender, clock, receivers, diagnostics } = bench({
      backoff: { minMs: 100, maxMs: 1_000 },
    })
    const [a] = Object.values(receivers)
    assert.ok(a)
    a.isUp = false
    appender.append(record('x'))
    await clock.advance(29_000)
    const failures = () => diagnostics.filter(({ kind }) => kind === 'connect-failed')
    assert.deepEqual(
      failures().map(({ count }) => count),
      [1],
    )
    await clock.advance(5_000)
    assert.equal(failures().length, 2)
    assert.ok((failures()[1]?.count ?? 0) > 10)
  })

  it('has said every loss by its end', async () => {
    const { appender, clock, receivers, diagnostics } = bench({ queue: { maxEvents: 2 } })
    const [a] = Object.values(receivers)
    assert.ok(a)
    a.isUp = false
    for (const n of numbers(0, 10)) appender.append(record(n))
    const closed = appender.close({ timeoutMs: 100 })
    await clock.advance(1_000)
    await closed
    const said = diagnostics.filter(({ kind }) => kind === 'dropped')
    assert.deepEqual(
      said.map(({ message, count }) => [/closed/.test(message), count]),
      [
        [false, 1],
        [false, 7],
        [true, 2],
      ],
    )
  })

  it('survives a listener that logs and throws', async () => {
    let calls = 0
    const { appender, clock } = bench({
      queue: { maxEvents: 1 },
      onDiagnostic: () => {
        calls += 1
        appender.append(record('about the appender', LOG4J_LEVEL.ERROR))
        throw new Error('listener')
      },
    })
    for (const n of numbers(0, 10)) appender.append(record(n))
    await clock.advance(1_000)
    assert.ok(calls > 0 && calls < 5, `${calls} calls`)
    assert.equal(imbalance(appender), 0)
  })

  it('keeps events whole when a listener logs while the queue makes room', async () => {
    const { appender, clock, receivers } = bench({
      queue: { maxEvents: 5 },
      onDiagnostic: () => {
        appender.append(record('about the appender'))
      },
    })
    const [a] = Object.values(receivers)
    assert.ok(a)
    a.isUp = false
    for (const n of numbers(0, 10)) appender.append(record(n))
    a.isUp = true
    await clock.advance(60_000)
    assert.equal(a.stored.length, 5)
    for (const text of a.stored) assert.match(text, /^(\d|about the appender)$/)
    assert.equal(imbalance(appender), 0)
  })

  it('survives a connection whose methods throw', async () => {
    let calls = 0
    const { appender, clock } = bench(
      { backoff: { minMs: 1, maxMs: 10 } },
      {
        connect: async () => ({
          isActive: true,
          appendBatch: () => {
            calls += 1
            if (calls < 3) throw new RpcError('MILLRACE_RPC_PROTOCOL', 'thrown at once')
            return Promise.resolve()
          },
          close: () => Promise.reject(new Error('cannot close')),
        }),
      },
    )
    appender.append(record('x'))
    await clock.advance(5_000)
    assert.equal(appender.state().delivered, 1)
  })

  it('takes null for the options of flush and close', async () => {
    const { appender } = bench()
    assert.equal(await appender.flush(null), true)
    assert.equal(await appender.close(null), undefined)
  })
})
