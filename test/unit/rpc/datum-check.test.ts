import assert from 'node:assert/strict'
import { checkDatum } from '@millrace/rpc/internal/protocol/datum-check'
import avsc from 'avsc'

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex')

const EVERYTHING = {
  type: 'record',
  name: 'Everything',
  fields: [
    { name: 'nothing', type: 'null' },
    { name: 'flag', type: 'boolean' },
    { name: 'int', type: 'int' },
    { name: 'long', type: 'long' },
    { name: 'float', type: 'float' },
    { name: 'double', type: 'double' },
    { name: 'text', type: 'string' },
    { name: 'bytes', type: 'bytes' },
    { name: 'fixed', type: { type: 'fixed', name: 'Four', size: 4 } },
    { name: 'choice', type: { type: 'enum', name: 'Choice', symbols: ['A', 'B'] } },
    { name: 'list', type: { type: 'array', items: ['null', 'string', 'long'] } },
    { name: 'map', type: { type: 'map', values: 'Four' } },
  ],
} as const

describe('the check of a datum before it is decoded', () => {
  it('passes whatever avsc writes, and nothing that is cut', () => {
    const type = avsc.Type.forSchema(JSON.parse(JSON.stringify(EVERYTHING)))
    for (let i = 0; i < 200; i += 1) {
      const bytes = type.toBuffer(type.random())
      checkDatum(type, bytes)
      const cut = bytes.subarray(0, bytes.length - 1)
      assert.throws(() => checkDatum(type, cut), /EOF/)
    }
  })

  it('refuses more items than octets are left before it goes through them', () => {
    const nulls = avsc.Type.forSchema({ type: 'array', items: 'null' })
    const ended = { code: 'MILLRACE_AVRO_TRUNCATED' }
    assert.throws(() => checkDatum(nulls, hex('14 00')), ended)
    assert.throws(() => checkDatum(nulls, hex('13 00 00')), ended)
  })

  it('refuses counts, lengths and branches that cannot be, without reading on', () => {
    const of = (schema: unknown) => avsc.Type.forSchema(schema as avsc.Schema)
    const array = of({ type: 'array', items: 'string' })
    const nulls = of({ type: 'array', items: 'null' })
    const map = of({ type: 'map', values: 'bytes' })
    for (const [type, bytes] of [
      [array, 'feffffffffffffffff01'], // 2^62 items
      [array, 'ffffffffffffffffff01'], // -2^63 items
      [array, '02 7f'],
      [array, '06 0000'],
      [nulls, '0a 0000000000'], // items without an octet
      [map, 'feffffff0f 00'],
      [map, '02 02 6b'],
      [of(['null', 'string']), '04'],
      [of(['null', 'string']), '01'],
      [of('string'), 'feffffff0f'],
      [of('long'), 'ffffffffffffffffffffff01'],
    ] as const) {
      const beganMs = performance.now()
      assert.throws(() => checkDatum(type, hex(bytes)), { name: 'AvroError' }, bytes)
      assert.ok(performance.now() - beganMs < 1_000, bytes)
    }
  })

  it('refuses a schema that holds itself too often', () => {
    const type = avsc.Type.forSchema({
      type: 'record',
      name: 'Link',
      fields: [{ name: 'next', type: ['null', 'Link'] }],
    })
    checkDatum(type, hex('02 02 02 00'))
    assert.throws(() => checkDatum(type, Buffer.alloc(1_000, 2)), { code: 'MILLRACE_AVRO_LIMIT' })
  })
})
