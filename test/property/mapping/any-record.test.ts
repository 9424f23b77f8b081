import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { aMapper, aRecord, encoded } from '../../support/mapped-event.js'

/** fast-check looks into what it makes: values that bite stand in as a number until they are used. */
class Hostile {
  readonly index: number
  constructor(index: number) {
    this.index = index
  }
}

const everyTrapThrows: ProxyHandler<object> = {
  get: fail,
  has: fail,
  ownKeys: fail,
  getPrototypeOf: fail,
  getOwnPropertyDescriptor: fail,
}

function fail(): never {
  throw new Error('trap')
}

const hostile: readonly (() => unknown)[] = [
  () => new Error('plain'),
  () => new Proxy({}, everyTrapThrows),
  () => new Proxy([], everyTrapThrows),
  () => new Proxy(new Error('behind a proxy'), everyTrapThrows),
  () => ({
    get bad(): never {
      throw new Error('getter')
    },
  }),
  () => ({
    toJSON(): never {
      throw new Error('toJSON')
    },
  }),
  () => ({
    toJSON() {
      return this
    },
  }),
  () =>
    Object.defineProperty(new Error('no stack'), 'stack', {
      get: fail,
    }),
  () => Object.defineProperty(new Error('no type'), 'constructor', { get: fail }),
  () => Object.assign(new Error('odd'), { message: 7n, name: Symbol('n'), code: {} }),
  () => {
    const circle: Record<string, unknown> = { list: [] }
    circle['self'] = circle
    return circle
  },
  () => {
    const error = new Error('cyclic')
    error.cause = error
    return new AggregateError([error, error], 'many', { cause: error })
  },
  () => Object.create(null) as object,
  () => {
    let nested: unknown = 'deep'
    for (let i = 0; i < 500; i += 1) nested = [nested]
    return nested
  },
  () => {
    let chain = new Error('last')
    for (let i = 0; i < 50; i += 1) chain = new Error(`e${i}`, { cause: chain })
    return chain
  },
  () => Array.from({ length: 3 }, () => Array.from({ length: 1_100 }, () => 'item')),
]
const HOSTILE_COUNT = hostile.length

function armed<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Hostile) return hostile[value.index]?.() as T
  if (value instanceof Map) return new Map([...value].map(armed)) as T
  if (Array.isArray(value)) return value.map(armed) as T
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return value
  const copy: Record<string, unknown> = {}
  for (const [name, one] of Object.entries(value)) {
    Object.defineProperty(copy, name, { value: armed(one), enumerable: true })
  }
  return copy as T
}

/** Values that a program can log: strange on purpose. */
const leaf = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme' }),
  fc.constant('\ud800'),
  fc.constant('ä'.repeat(3_000)),
  fc.double(),
  fc.bigInt(),
  fc.boolean(),
  fc.constantFrom(undefined, null, Symbol('s'), () => 1, new Date(Number.NaN), /x/, -0),
  fc.date({ noInvalidDate: false }),
  fc.uint8Array({ maxLength: 50 }),
  fc.integer({ min: 0, max: HOSTILE_COUNT - 1 }).map((index) => new Hostile(index)),
)
const key = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 8 }),
  fc.constantFrom('host', 'key', '__proto__', 'constructor', 'id', 'ä'.repeat(300)),
)
const { tree } = fc.letrec((tie) => ({
  tree: fc.oneof(
    { maxDepth: 3 },
    leaf,
    fc.dictionary(key, tie('tree'), { maxKeys: 5 }),
    fc.array(tie('tree'), { maxLength: 5 }),
    fc.array(fc.tuple(tie('tree'), tie('tree')), { maxLength: 3 }).map((pairs) => new Map(pairs)),
  ),
}))
const fields = fc.dictionary(key, tree, { maxKeys: 6 })
const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constant('\udfff'), fc.string())

/** Frozen all the way down, where that is possible: encoding must not need to write. */
function frozen<T>(value: T, seen = new Set<unknown>()): T {
  if (typeof value !== 'object' || value === null || seen.has(value)) return value
  seen.add(value)
  if (ArrayBuffer.isView(value)) return value
  try {
    for (const one of Object.values(value)) frozen(one, seen)
    return Object.freeze(value)
  } catch {
    return value
  }
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true })

describe('mapping: any record', () => {
  const shapes = [
    { options: { context: {} }, limit: 1_000_000 },
    { options: { context: {}, body: 'json' }, limit: 1_000_000 },
    { options: { context: { include: ['a'] }, body: 'json', flatten: true }, limit: 1_000_000 },
    { options: { body: 'json', maxEventBytes: 4_096 }, limit: 4_096 },
    { options: { maxEventBytes: 100 }, limit: 100 },
    { options: { profile: 'log4j1-strict' }, limit: 1_000_000 },
    { options: { profile: 'log4j2', context: {} }, limit: 1_000_000 },
  ]
  for (const { options, limit } of shapes) {
    it(`becomes one valid event within its limits with ${JSON.stringify(options)}`, () => {
      const mapper = aMapper(options)
      fc.assert(
        fc.property(
          fc.record({
            timestampMs: fc.double(),
            level: fc.double(),
            levelName: text,
            loggerName: text,
            text,
            error: tree,
            others: fc.array(tree, { maxLength: 3 }),
            attributes: fields,
            args: fc.array(tree, { maxLength: 3 }),
            context: fields,
            traceparent: fc.oneof(fc.constant(undefined), text),
            tracestate: fc.oneof(fc.constant(undefined), text),
          }),
          (record) => {
            const event = encoded(mapper, frozen(armed(record)))
            strictUtf8.decode(event.body)
            assert.ok(event.body.length <= limit, `${event.body.length} bytes`)
            for (const [name, value] of Object.entries(event.headers)) {
              assert.ok(Buffer.byteLength(name) <= 256)
              assert.ok(Buffer.byteLength(value) <= 8 * 1_024)
            }
            if ('body' in options) JSON.parse(event.text)
          },
        ),
        { numRuns: 100 },
      )
      assert.equal(mapper.counters.encodeErrors, 0)
    })
  }

  it('of ten megabytes is cut', () => {
    const huge = { text: 'ä'.repeat(5 * 1_024 * 1_024) }
    for (const body of ['text', 'json']) {
      const event = encoded(aMapper({ body }), { ...aRecord, ...huge })
      assert.ok(event.body.length <= 1_024 * 1_024)
      assert.ok(Number(event.headers['millrace.truncated']) >= 10 * 1_024 * 1_024)
    }
  })
})
