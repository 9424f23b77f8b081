import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DeadLetter } from '@millrace/appender'
import { seededRandom } from '@millrace/runtime'
import { until } from '@millrace/testkit'
import { bench, imbalance, numbers, record } from '../../support/fake-receiver.js'

const backoff = { minMs: 100, maxMs: 1_000 }

describe('refused events of an appender', () => {
  it('isolates an event that is always refused, and delivers all others', async () => {
    const letters: DeadLetter[] = []
    const { appender, clock, receivers } = bench({
      backoff,
      deadLetter: (letter) => void letters.push(letter),
    })
    const [a] = Object.values(receivers)
    assert.ok(a)
    a.answer = (bodies) => (bodies.includes('poison') ? 'failed' : 'ok')
    for (const n of numbers(0, 50)) appender.append(record(n))
    appender.append(record('poison'))
    for (const n of numbers(50, 300)) appender.append(record(n))
    await clock.advance(120_000)
    assert.deepEqual([...a.stored].sort(), numbers(0, 300).sort())
    const [letter] = letters
    assert.equal(letters.length, 1)
    assert.equal(letter?.body.toString(), 'poison')
    assert.equal(letter?.reason, 'refused')
    assert.equal(letter?.host, 'a:1')
    assert.equal(appender.state().deadLettered, 1)
    assert.ok(appender.state().split > 0)
    assert.equal(imbalance(appender), 0)
  })

  it('isolates several such events side by side', async () => {
    const letters: string[] = []
    const { appender, clock, receivers } = bench({
      backoff,
      deadLetter: (letter) => void letters.push(letter.body.toString()),
    })
    const [a] = Object.values(receivers)
    assert.ok(a)
    a.answer = (bodies) => (bodies.some((body) => body.startsWith('p')) ? 'failed' : 'ok')
    for (const n of numbers(0, 400)) {
      appender.append(record(Number(n) >= 20 && Number(n) < 30 ? `p${n}` : n))
    }
    for (let i = 400; i < 600; i += 1) {
      appender.append(record(String(i)))
      await clock.advance(1_000)
    }
    await clock.advance(60_000)
    assert.deepEqual(
      letters.sort(),
      numbers(20, 30).map((n) => `p${n}`),
    )
    assert.equal(a.stored.length, 590)
  })

  it('gives no event up while the receiver is full, however long', async () => {
    const letters: DeadLetter[] = []
    const { appender, clock, receivers } = bench({
      deadLetter: (letter) => void letters.push(letter),
    })
    const [a] = Object.values(receivers)
    assert.ok(a)
    a.answer = () => 'failed'
    for (const n of numbers(0, 1_000)) appender.append(record(n))
    await clock.advance(3_600_000)
    a.answer = () => 'ok'
    await clock.advance(120_000)
    assert.equal(letters.length, 0)
    assert.deepEqual([...a.stored].sort(), numbers(0, 1_000).sort())
    assert.equal(appender.state().delivered, 1_000)
  })

  it('gives no event up while the receiver has room now and then', async () => {
    const letters: DeadLetter[] = []
    const { appender, clock, receivers } = bench({
      backoff,
      deadLetter: (letter) => void letters.push(letter),
    })
    const [a] = Object.values(receivers)
    assert.ok(a)
    const capacity = 250
    let held = 0
    a.answer = (bodies) => {
      if (held + bodies.length > capacity) return 'failed'
      held += bodies.length
      return 'ok'
    }
    const drain = () => {
      held = Math.max(0, held - 40)
      clock.after(1_000, drain)
    }
    drain()
    for (const n of numbers(0, 6_000)) appender.append(record(n))
    await clock.advance(600_000)
    assert.equal(letters.length, 0)
    assert.equal(new Set(a.stored).size, 6_000)
  })

  it('gives no event up while the receiver refuses others too, every now and then', async () => {
    const letters: DeadLetter[] = []
    const { appender, clock, receivers } = bench({
      backoff,
      batch: { maxEvents: 1 },
      deadLetter: (letter) => void letters.push(letter),
    })
    const [a] = Object.values(receivers)
    assert.ok(a)
    let others = 0
    a.answer = ([body]) => (body === 'x' || ++others % 2 === 0 ? 'failed' : 'ok')
    appender.append(record('x'))
    for (const n of numbers(0, 100)) {
      appender.append(record(n))
      await clock.advance(1_000)
    }
    assert.ok(a.arrived.filter(([body]) => body === 'x').length > 5)
    assert.equal(letters.length, 0)
    a.answer = () => 'ok'
    await clock.advance(60_000)
    assert.equal(letters.length, 0)
    assert.equal(appender.state().delivered, 101)
  })

  for (const maxEvents of [1, 100]) {
    it(`gives no event up to a receiver that is full at random, in batches of ${maxEvents}`, async () => {
      let lost = 0
      const random = seededRandom(20_261_124)
      const { appender, clock, receivers } = bench(
        { backoff, batch: { maxEvents }, deadLetter: () => void (lost += 1) },
        { random: seededRandom(1) },
      )
      const [a] = Object.values(receivers)
      assert.ok(a)
      for (const share of [0.3, 0.5, 0.7]) {
        a.answer = () => (random() < share ? 'failed' : 'ok')
        for (const n of numbers(0, 1_000)) {
          appender.append(record(n))
          if (Number(n) % 40 === 0) await clock.advance(500)
        }
        await clock.advance(600_000)
      }
      assert.equal(lost, 0)
      assert.equal(appender.state().delivered, 3_000)
    })
  }

  it('brings an event to another host that one host refuses', async () => {
    const letters: DeadLetter[] = []
    const { appender, clock, receivers } = bench({
      hosts: ['a:1', 'b:1'],
      strategy: 'failover',
      backoff,
      deadLetter: (letter) => void letters.push(letter),
    })
    const { a, b } = receivers
    assert.ok(a && b)
    a.answer = (bodies) => (bodies.includes('special') ? 'failed' : 'ok')
    for (const n of numbers(0, 50)) appender.append(record(n))
    appender.append(record('special'))
    for (const n of numbers(50, 100)) appender.append(record(n))
    await clock.advance(60_000)
    assert.equal(letters.length, 0)
    assert.ok(b.stored.includes('special'))
    assert.equal(appender.state().delivered, 101)
  })

  it('makes batches small enough for the transactions of the receiver', async () => {
    const { appender, clock, receivers } = bench({ backoff })
    const [a] = Object.values(receivers)
    assert.ok(a)
    a.answer = (bodies) => (bodies.length > 30 ? 'failed' : 'ok')
    for (const n of numbers(0, 500)) appender.append(record(n))
    await clock.advance(60_000)
    assert.deepEqual(a.stored, numbers(0, 500))
  })

  it('writes dead letters as NDJSON, one line each', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'millrace-dead-'))
    const { appender, receivers } = bench({
      maxEventBytes: 1_000,
      headerCaps: { maxEventBytes: 16 },
      deadLetter: { directory: join(directory, 'sub') },
    })
    const [a] = Object.values(receivers)
    assert.ok(a)
    appender.append(record('x'.repeat(70_000)))
    appender.append({ ...record(''), text: Buffer.alloc(70_000, 0xff) })
    assert.equal(appender.state().inFlight, 2)
    await until(() => appender.state().deadLettered === 2, {
      timeoutMs: 5_000,
      what: 'dead letters',
    })
    const text = await readFile(join(directory, 'sub', 'dead-letters.ndjson'), 'utf8')
    const [first, second, rest] = text.split('\n')
    assert.equal(rest, '')
    const line = JSON.parse(first ?? '')
    assert.equal(line.body, 'x'.repeat(70_000))
    assert.equal(line.reason, 'oversize')
    assert.equal(JSON.parse(second ?? '').bodyBase64, Buffer.alloc(70_000, 0xff).toString('base64'))
    assert.equal(imbalance(appender), 0)
    await rm(directory, { recursive: true })
  })

  it('counts an event that is too large as dropped when there is no place for dead letters', () => {
    const { appender } = bench({ maxEventBytes: 1_000 })
    appender.append(record('x'.repeat(200_000)))
    assert.equal(appender.state().dropped.oversize, 1)
    assert.equal(imbalance(appender), 0)
  })

  it('counts a dead letter that cannot be kept as dropped', async () => {
    const { appender, diagnostics } = bench({
      maxEventBytes: 1_000,
      deadLetter: () => {
        throw new Error('no')
      },
    })
    appender.append(record('x'.repeat(200_000)))
    await until(() => appender.state().dropped.oversize === 1, {
      timeoutMs: 5_000,
      what: 'the drop',
    })
    assert.equal(imbalance(appender), 0)
    assert.ok(diagnostics.some(({ kind }) => kind === 'dead-letter'))
  })
})
