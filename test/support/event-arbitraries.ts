/** Generated events and their encodings, and an independent Avro to compare with. */
import type { EventInit } from '@millrace/event'
import avsc from 'avsc'
import * as fc from 'fast-check'

export interface GeneratedEvent {
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

export const avscEvent = avsc.Type.forSchema({
  type: 'record',
  name: 'AvroFlumeEvent',
  fields: [
    { name: 'headers', type: { type: 'map', values: 'string' } },
    { name: 'body', type: 'bytes' },
  ],
})
export const avscArray = avsc.Type.forSchema({
  type: 'array',
  items: {
    type: 'record',
    name: 'AvroFlumeEvent',
    fields: [
      { name: 'headers', type: { type: 'map', values: 'string' } },
      { name: 'body', type: 'bytes' },
    ],
  },
})

/** Few names, so that edits meet them; no integer-like ones, whose order an object does not keep. */
const name = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom('a', 'b', 'host', 'timestamp', 'x-ключ') },
  {
    weight: 1,
    arbitrary: fc.string({ unit: 'grapheme', maxLength: 80 }).map((text) => `k${text}`),
  },
)
const text = fc.oneof(
  { weight: 6, arbitrary: fc.string({ unit: 'grapheme', maxLength: 12 }) },
  { weight: 1, arbitrary: fc.string({ minLength: 60, maxLength: 300 }) },
)

export const headersOf = (maxKeys = 6) =>
  fc.dictionary(name, text, { maxKeys, noNullPrototype: true })

export const event: fc.Arbitrary<GeneratedEvent> = fc.record({
  headers: fc.oneof(
    { weight: 12, arbitrary: headersOf() },
    { weight: 1, arbitrary: headersOf(75).map((some) => ({ ...some, ...manyHeaders(70) })) },
  ),
  body: fc.uint8Array({ maxLength: 90 }).map((bytes) => Buffer.from(bytes)),
})

export const events = fc.array(event, { maxLength: 12 })

function manyHeaders(count: number): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [`m${i}`, String(i)]))
}

/** A varint as Avro writes it. */
export function varint(value: bigint): Buffer {
  let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n))
  const bytes: number[] = []
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128)
  return Buffer.from([...bytes, Number(rest)])
}

/** The same value in more bytes than it needs; ten is the most that is legal. */
export function paddedVarint(value: bigint, length: number): Buffer {
  const short = varint(value)
  if (short.length >= length) return short
  const padded = Buffer.alloc(length, 0x80)
  short.copy(padded)
  padded[short.length - 1] = (short.at(-1) ?? 0) | 0x80
  padded[length - 1] = 0
  return padded
}

/** How an encoder may write one array or map: sizes of its blocks, which ones give their byte size, padding. */
export interface Style {
  readonly blocks: readonly number[]
  readonly sized: boolean
  readonly varintBytes: number
}

export const style: fc.Arbitrary<Style> = fc.record({
  blocks: fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 4 }),
  sized: fc.boolean(),
  varintBytes: fc.constantFrom(1, 1, 2, 5, 10),
})

/** Writes items as Avro blocks in the style. */
export function blocks(items: readonly Buffer[], { blocks, sized, varintBytes }: Style): Buffer {
  const parts: Buffer[] = []
  let at = 0
  for (let block = 0; at < items.length; block += 1) {
    const count = Math.min(blocks[block] ?? items.length, items.length - at)
    const bytes = Buffer.concat(items.slice(at, at + count))
    if (sized) {
      parts.push(
        paddedVarint(BigInt(-count), varintBytes),
        paddedVarint(BigInt(bytes.length), varintBytes),
      )
    } else parts.push(paddedVarint(BigInt(count), varintBytes))
    parts.push(bytes)
    at += count
  }
  return Buffer.concat([...parts, paddedVarint(0n, varintBytes)])
}

/** Length and bytes. */
export function lengthPrefixed(bytes: Buffer, varintBytes = 1): Buffer {
  return Buffer.concat([paddedVarint(BigInt(bytes.length), varintBytes), bytes])
}

/** One event in the style; keys and values may be any bytes, keys may repeat. */
export function encodeEvent(
  headers: readonly (readonly [Buffer, Buffer])[],
  body: Buffer,
  style: Style,
): Buffer {
  const { varintBytes } = style
  const entries = headers.map(([key, value]) =>
    Buffer.concat([lengthPrefixed(key, varintBytes), lengthPrefixed(value, varintBytes)]),
  )
  return Buffer.concat([blocks(entries, style), lengthPrefixed(body, varintBytes)])
}

export function encodeGenerated({ headers, body }: GeneratedEvent, style: Style): Buffer {
  const pairs = Object.entries(headers).map(
    ([key, value]) => [Buffer.from(key), Buffer.from(value)] as const,
  )
  return encodeEvent(pairs, body, style)
}

/** What events are, to compare. */
export function plain(list: Iterable<EventInit>): { headers: [string, string][]; body: string }[] {
  return Array.from(list, ({ headers = {}, body = '' }) => ({
    headers: Object.entries(headers),
    body: Buffer.from(body as Uint8Array).toString('hex'),
  }))
}
