import assert from 'node:assert/strict'
import { collectProperty } from 'millrace/internal/arguments'
import { nearest } from 'millrace/internal/nearest'

describe('-D on the command line', () => {
  it('splits at the first equals sign', () => {
    assert.deepEqual(collectProperty('a.b=c=d', {}), { 'a.b': 'c=d' })
  })

  it('takes a key alone as an empty value and the last of two values', () => {
    assert.deepEqual(collectProperty('a', { a: '1', b: '2' }), { a: '', b: '2' })
  })

  it('refuses an empty key', () => {
    assert.throws(() => collectProperty('=x', {}), { name: 'UsageError' })
  })
})

describe('the nearest word', () => {
  it('is found when few letters differ', () => {
    assert.equal(nearest('recieve', ['agent', 'receive']), 'receive')
    assert.equal(nearest('xyz', ['agent', 'receive']), undefined)
  })
})
