import assert from 'node:assert/strict'
import { EventBatch } from '@millrace/event'

const numbered = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`h${i}`, String(i)]))

describe('header edits', () => {
  it('cross the number of headers whose count takes another byte, both ways', () => {
    for (let before = 60; before <= 67; before += 1) {
      for (let added = 0; added <= 4; added += 1) {
        for (let removed = 0; removed <= 4; removed += 1) {
          const batch = EventBatch.of([
            { headers: numbered(before), body: 'first' },
            { headers: numbered(before), body: 'second' },
          ])
          const extra = Array.from({ length: added }, (_, i) => [`new${i}`, 'x'] as const)
          const gone = Array.from({ length: removed }, (_, i) => `h${i * 2}`)
          const result = batch.withHeaders([
            ...extra.map(([name, value]) => ({ name, value })),
            ...gone.map((name) => ({ name, value: null })),
          ])
          const kept = Object.entries(numbered(before)).filter(([name]) => !gone.includes(name))
          const headers = Object.fromEntries([...kept, ...extra])
          const expected = EventBatch.of([
            { headers, body: 'first' },
            { headers, body: 'second' },
          ])
          assert.ok(result.bytes.equals(expected.bytes), `${before} + ${added} - ${removed}`)
        }
      }
    }
  })

  it('empty a map, and fill an empty one', () => {
    const batch = EventBatch.of([{ headers: { a: '1' }, body: 'x' }, { body: 'y' }])
    const emptied = batch.withHeaders([{ name: 'a', value: null }])
    assert.ok(emptied.bytes.equals(EventBatch.of([{ body: 'x' }, { body: 'y' }]).bytes))
    const filled = emptied.withHeaders([{ name: 'b', value: '' }])
    assert.deepEqual({ ...filled.headersAt(0) }, { b: '' })
    assert.deepEqual({ ...filled.headersAt(1) }, { b: '' })
  })

  it('take the later of two edits of the same header behind the earlier', () => {
    const batch = EventBatch.of([{ body: 'x' }]).withHeaders([
      { name: 'a', value: '1' },
      { name: 'a', value: '2' },
    ])
    assert.equal(batch.headerAt(0, 'a'), '2')
  })

  it('ask a function once for each event, in order', () => {
    const asked: number[] = []
    const batch = EventBatch.of([{}, {}, {}]).withHeaders([
      {
        name: 'n',
        value: (index) => {
          asked.push(index)
          return index === 1 ? undefined : `n${index}`
        },
      },
    ])
    assert.deepEqual(asked, [0, 1, 2])
    assert.deepEqual(
      [0, 1, 2].map((index) => batch.headerAt(index, 'n')),
      ['n0', undefined, 'n2'],
    )
  })

  it('take names and values longer than a short length tells', () => {
    const long = 'é'.repeat(9_000)
    const batch = EventBatch.of([{ headers: { [long]: long, a: long }, body: long }, { body: 'x' }])
    const result = batch.withHeaders([
      { name: 'a', value: long.slice(1) },
      { name: `${long}2`, value: long },
    ])
    assert.deepEqual(
      { ...result.headersAt(0) },
      { [long]: long, a: long.slice(1), [`${long}2`]: long },
    )
    assert.equal(result.bodyAt(0).toString(), long)
    assert.equal(result.bodyAt(1).toString(), 'x')
  })
})
