import assert from 'node:assert/strict'
import { once } from 'node:events'
import avsc from 'avsc'
import type { InputFile } from '@millrace/component'
import { type CollectedEvent, eventsOf } from '../../support/component-context.js'
import { deserializer } from '../../support/spool-harness.js'

const inputOf = (bytes: Buffer, more: Partial<InputFile> = {}): InputFile => ({
  path: '/in/a',
  size: bytes.length,
  start: 0,
  charset: 'UTF-8',
  decodeErrorPolicy: 'FAIL',
  read: async (into, offset) => bytes.copy(into, 0, offset),
  ...more,
})

type Name = Parameters<typeof deserializer>[0]

interface Reading {
  readonly events: readonly CollectedEvent[]
  readonly bodies: readonly Buffer[]
  /** Where each read says to begin again. */
  readonly positions: readonly number[]
}

async function readAll(
  name: Name,
  bytes: Buffer,
  more: {
    readonly settings?: Record<string, string>
    readonly input?: Partial<InputFile>
    readonly size?: number
  } = {},
): Promise<Reading> {
  const reader = deserializer(name, more.settings ?? {}, inputOf(bytes, more.input))
  const events: CollectedEvent[] = []
  const bodies: Buffer[] = []
  const positions: number[] = []
  for (;;) {
    const { batch, position } = await reader.read(more.size ?? 100)
    if (batch.size === 0) return { events, bodies, positions }
    assert.ok(batch.size <= (more.size ?? 100))
    events.push(...eventsOf(batch))
    for (const event of batch.events()) bodies.push(Buffer.from(event.body))
    positions.push(position)
  }
}

const textsOf = ({ events }: Reading) => events.map(({ text }) => text)

describe('LINE deserializer', () => {
  const lines = async (
    ...given: Parameters<typeof readAll> extends [Name, ...infer R] ? R : never
  ) => textsOf(await readAll('LINE', ...given))

  it('splits at line feeds only', async () => {
    assert.deepEqual(await lines(Buffer.from('a\r\n\nb\u0085c\nend')), [
      'a\r',
      '',
      'b\u0085c',
      'end',
    ])
    assert.deepEqual(await lines(Buffer.alloc(0)), [])
  })

  it('tells behind which byte to go on, and goes on there', async () => {
    const bytes = Buffer.from('für\nmühe\nöl\n')
    const { positions } = await readAll('LINE', bytes, { size: 1 })
    assert.deepEqual(positions, [5, 11, 15])
    assert.deepEqual(await lines(bytes, { input: { start: 5 } }), ['mühe', 'öl'])
  })

  it('cuts a line at maxLineLength characters, as Flume does', async () => {
    const settings = { maxLineLength: '3' }
    assert.deepEqual(await lines(Buffer.from('abcdefg\nabc\nab\n'), { settings }), [
      'abc',
      'def',
      'g',
      'abc',
      '',
      'ab',
    ])
    const cut = await lines(Buffer.from('üüüüü\na😀😀\n'), { settings, size: 2 })
    assert.deepEqual(cut, ['üüü', 'üü', 'a😀', '😀'])
  })

  it('reads lines that are longer than its first buffer, a character across the edge', async () => {
    const long = `${'x'.repeat(256 * 1_024 - 1)}ü${'y'.repeat(900_000)}`
    const settings = { maxLineLength: '2000000' }
    assert.deepEqual(await lines(Buffer.from(`a\n${long}\nb`), { settings }), ['a', long, 'b'])
    const pieces = await lines(Buffer.from(`${long}\n`), { settings: { maxLineLength: '100' } })
    assert.equal(pieces.join(''), long)
  })

  it('does with bytes that are no text what decodeErrorPolicy says', async () => {
    const bytes = Buffer.concat([
      Buffer.from('a\nb\ufffd'),
      Buffer.from([0xff]),
      Buffer.from('c\nd'),
    ])
    const read = (decodeErrorPolicy: InputFile['decodeErrorPolicy']) =>
      lines(bytes, { input: { decodeErrorPolicy } })
    assert.deepEqual(await read('REPLACE'), ['a', 'b\ufffd\ufffdc', 'd'])
    assert.deepEqual(await read('IGNORE'), ['a', 'b\ufffdc', 'd'])
    await assert.rejects(read('FAIL'), { code: 'MILLRACE_INPUT_INVALID' })
  })

  it('gives what stands in front of such bytes before it fails', async () => {
    const reader = deserializer('LINE', {}, inputOf(Buffer.from('a\n\xff\n', 'latin1')))
    const { batch, position } = await reader.read(10)
    assert.deepEqual([eventsOf(batch).map(({ text }) => text), position], [['a'], 2])
    await assert.rejects(reader.read(10))
  })

  it('reads and writes other character sets', async () => {
    const latin1 = Buffer.from('grün\nrot', 'latin1')
    assert.deepEqual(await lines(latin1, { input: { charset: 'ISO-8859-1' } }), ['grün', 'rot'])
    const settings = { outputCharset: 'ISO-8859-1' }
    const { bodies } = await readAll('LINE', Buffer.from('grün'), { settings })
    assert.deepEqual(bodies, [Buffer.from('grün', 'latin1')])
    const utf16 = Buffer.from('\ufeffab\nਊc\n', 'utf16le')
    assert.deepEqual(await lines(utf16, { input: { charset: 'UTF-16' } }), ['ab', 'ਊc'])
    const big = Buffer.from('ab\nĊc\n', 'utf16le').swap16()
    assert.deepEqual(await lines(big, { input: { charset: 'UTF-16BE' } }), ['ab', 'Ċc'])
    assert.deepEqual(
      await lines(Buffer.from('a\xe9b', 'latin1'), {
        input: { charset: 'US-ASCII', decodeErrorPolicy: 'IGNORE' },
      }),
      ['ab'],
    )
  })
})

describe('BLOB deserializer', () => {
  it('makes one event of a file, or several of a large one', async () => {
    const settings = { maxBlobLength: '4' }
    assert.deepEqual(textsOf(await readAll('BLOB', Buffer.from('a\nb'), { settings })), ['a\nb'])
    const { events, positions } = await readAll('BLOB', Buffer.from('123456789'), { settings })
    assert.deepEqual(
      [events.map(({ text }) => text), positions],
      [
        ['1234', '5678', '9'],
        [4, 8, 9],
      ],
    )
  })
})

describe('AVRO deserializer', () => {
  const schema: avsc.Schema = {
    type: 'record',
    name: 'Event',
    fields: [
      { name: 'headers', type: { type: 'map', values: 'string' } },
      { name: 'body', type: 'bytes' },
    ],
  }
  const record = (text: string) => ({ headers: { a: 'b' }, body: Buffer.from(text) })

  async function container(
    of: avsc.Schema,
    records: readonly unknown[],
    options: { readonly codec?: string; readonly blockSize?: number } = {},
  ): Promise<Buffer> {
    const encoder = new avsc.streams.BlockEncoder(of, options)
    const chunks: Buffer[] = []
    encoder.on('data', (chunk: Buffer) => chunks.push(chunk))
    for (const each of records) encoder.write(each)
    encoder.end()
    await once(encoder, 'end')
    return Buffer.concat(chunks)
  }

  it('makes an event of each record, its schema by its hash or by its text', async () => {
    const type = avsc.Type.forSchema(schema)
    const records = ['one', 'two', 'three'].map(record)
    for (const codec of ['null', 'deflate']) {
      const bytes = await container(schema, records, { codec })
      const hashed = await readAll('AVRO', bytes, { size: 2 })
      assert.deepEqual(
        hashed.bodies,
        records.map((each) => type.toBuffer(each)),
      )
      const [event] = hashed.events
      assert.deepEqual(event?.headers, { 'flume.avro.schema.hash': '8a878e615f1bfc26' })
      const literal = await readAll('AVRO', bytes, { settings: { schemaType: 'literal' } })
      const text = literal.events[0]?.headers['flume.avro.schema.literal'] ?? ''
      assert.deepEqual(JSON.parse(text), schema)
    }
  })

  it('goes on in front of the block that was not given as a whole', async () => {
    const records = Array.from({ length: 40 }, (_, i) => record(`number ${i}`))
    const bytes = await container(schema, records, { blockSize: 200 })
    const all = await readAll('AVRO', bytes, { size: 3 })
    assert.equal(all.bodies.length, 40)
    let given = 0
    for (const [i, position] of all.positions.entries()) {
      given += i === 0 ? 0 : 0
      const again = await readAll('AVRO', bytes, { input: { start: position } })
      const expected = all.bodies.slice(40 - again.bodies.length)
      assert.deepEqual(again.bodies, expected)
      given = 40 - again.bodies.length
    }
    assert.equal(given, 40)
  })

  it('carries numbers of 64 bits', async () => {
    const bytes = await container('long', [1, 2])
    const at = bytes.indexOf(Buffer.from([0x02, 0x04]), bytes.length - 20)
    const long = Buffer.from('feffffffffffffffff01', 'hex')
    const head = bytes.subarray(0, at - 2)
    const sync = bytes.subarray(-16)
    const changed = Buffer.concat([head, Buffer.from([0x02, 0x14]), long, sync])
    const { bodies } = await readAll('AVRO', changed)
    assert.deepEqual(bodies, [long])
  })

  it('refuses what is no such file, is cut off, damaged, or packed by another codec', async () => {
    const good = await container(schema, ['one', 'two'].map(record))
    const damaged = Buffer.from(good)
    damaged[damaged.length - 3] = (damaged.at(-3) ?? 0) ^ 1
    const other = Buffer.from(good.toString('latin1').replace('null', 'zstd'), 'latin1')
    for (const bytes of [
      Buffer.from('no Avro'),
      Buffer.alloc(0),
      good.subarray(0, -5),
      damaged,
      other,
    ]) {
      await assert.rejects(readAll('AVRO', bytes), { code: 'MILLRACE_INPUT_INVALID' })
    }
  })
})
