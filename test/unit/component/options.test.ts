import assert from 'node:assert/strict'
import { defineSink, option, type OptionSpec, prefixOf } from '@millrace/component'

/** What code gets for a text, or why it is refused. */
function read<T>(spec: OptionSpec<T>, text: unknown): T | string {
  const result = spec.schema.safeParse(text)
  return result.success ? result.data : (result.error.issues[0]?.message ?? '')
}

const d = { description: 'An option.' }

describe('an option', () => {
  it('reads whole numbers as Java does, within its range', () => {
    const port = option.int('port', { ...d, min: 1, max: 65_535 })
    assert.deepEqual(
      ['1', '65535', '+80', '007'].map((text) => read(port, text)),
      [1, 65_535, 80, 7],
    )
    for (const text of ['0', '65536', '-1', '1.0', '1e3', '0x10', '', ' 1', '1 2', 'NaN', '٣']) {
      assert.equal(read(port, text), 'is not a whole number from 1 to 65535', text)
    }
    assert.equal(
      read(option.int('n', d), '2147483648'),
      'is not a whole number from 0 to 2147483647',
    )
  })

  it('reads 64-bit numbers, as far as a number can hold them', () => {
    const total = option.long('total', { ...d, default: '9223372036854775807' })
    assert.equal(read(total, '9223372036854775807'), Number.MAX_SAFE_INTEGER)
    assert.equal(total.fallback, Number.MAX_SAFE_INTEGER)
    assert.equal(total.default, '9223372036854775807')
    assert.equal(read(total, '-1'), 'is not a whole number, 0 or more')
    assert.equal(read(total, '99999999999999999999'), 'is not a whole number, 0 or more')
  })

  it('gives durations in milliseconds, whatever their unit in the file', () => {
    const seconds = option.duration('keep-alive', { ...d, unit: 's', default: 3 })
    assert.deepEqual([read(seconds, '5'), seconds.fallback, seconds.default], [5_000, 3_000, 3])
    const millis = option.duration('timeout', { ...d, unit: 'ms', default: 3 })
    assert.deepEqual([read(millis, '5'), millis.fallback], [5, 3])
    assert.match(String(read(seconds, '5s')), /of seconds/)
  })

  it('replaces a value below its documented minimum', () => {
    const seconds = option.duration('t', { ...d, unit: 's', default: 20, adjustBelow: 1 })
    assert.equal(read(seconds, '-7'), -7_000)
    assert.deepEqual(
      [-7_000, 0, 1_000].map((value) => seconds.adjust?.(value)),
      [20_000, 20_000, 1_000],
    )
  })

  it('reads true and false in any case, and nothing else', () => {
    const ssl = option.bool('ssl', { ...d, default: false })
    assert.deepEqual(
      ['true', 'TRUE', 'False'].map((text) => read(ssl, text)),
      [true, true, false],
    )
    for (const text of ['yes', '1', '', 'tru']) {
      assert.equal(read(ssl, text), 'is neither true nor false')
    }
  })

  it('takes one of its words in any case and gives it as declared', () => {
    const order = option.enum('order', ['ROUND_ROBIN', 'RANDOM'], { ...d, default: 'RANDOM' })
    assert.equal(read(order, 'round_robin'), 'ROUND_ROBIN')
    assert.equal(read(order, 'other'), 'is not one of ROUND_ROBIN, RANDOM')
  })

  it('knows words that it refuses by name', () => {
    const type = option.enum('type', ['PEM'], {
      ...d,
      refused: { values: ['JKS'], classNames: true, reason: 'cannot be read' },
    })
    const codeOf = (text: string) => {
      const [issue] = type.schema.safeParse(text).error?.issues ?? []
      return issue?.code === 'custom' ? issue.params?.['code'] : issue?.code
    }
    assert.equal(read(type, 'pem'), 'PEM')
    assert.equal(read(type, 'jks'), 'cannot be read')
    assert.equal(codeOf('jks'), 'MILLRACE_CONFIG_UNSUPPORTED')
    assert.equal(codeOf('com.example.Type'), 'MILLRACE_CONFIG_UNSUPPORTED')
    assert.equal(codeOf('tar'), undefined)
  })

  it('splits lists at blanks or commas', () => {
    const blank = option.list('names', { ...d, default: 'a b' })
    assert.deepEqual(read(blank, ' x  y\tz '), ['x', 'y', 'z'])
    assert.deepEqual(blank.fallback, ['a', 'b'])
    const comma = option.list('rules', { ...d, separator: 'comma' })
    assert.deepEqual(read(comma, 'allow:ip:1, deny:name:a b ,'), ['allow:ip:1', 'deny:name:a b'])
    assert.deepEqual(comma.fallback, [])
  })

  it('gathers every key under a prefix, whatever it is called', () => {
    const texts = Object.fromEntries([
      ['__proto__', '1'],
      ['a.b', '2'],
    ])
    assert.deepEqual(Object.entries(read(option.map('m.*', d), texts)), Object.entries(texts))
    const numbers = option.intMap('priority.<sink>', d)
    assert.deepEqual(Object.entries(read(numbers, texts)), [
      ['__proto__', 1],
      ['a.b', 2],
    ])
    const result = numbers.schema.safeParse({ a: '1', b: 'x', c: 'y' })
    assert.deepEqual(
      result.error?.issues.map((issue) => issue.path),
      [['b'], ['c']],
    )
  })

  it('has a prefix where its key is a pattern', () => {
    assert.equal(prefixOf({ key: 'selector.mapping.*' }), 'selector.mapping.')
    assert.equal(prefixOf({ key: 'hosts.<alias>' }), 'hosts.')
    assert.equal(prefixOf({ key: 'sink.serializer' }), undefined)
  })

  it('gives a definition the type of its options', () => {
    const definition = defineSink({
      alias: 'x',
      classNames: [],
      summary: 'A sink.',
      options: {
        host: option.string('hostname', { ...d, required: true }),
        user: option.string('user', d),
        timeoutMs: option.duration('timeout', { ...d, unit: 's', default: 1 }),
        form: option.component('form', {
          ...d,
          kind: 'serializer',
          prefix: 'form.',
          default: 'TEXT',
        }),
      },
      check({ host, user, timeoutMs, form }) {
        // Compiles only when required and defaulted options are not optional, and others are.
        const typed: [string, string | undefined, number, string] = [host, user, timeoutMs, form]
        return typed[0] === '' ? [{ key: 'hostname', message: 'is empty' }] : []
      },
      create: () => ({ batchSize: 1, write: async () => {} }),
    })
    assert.equal(definition.kind, 'sink')
    const options = { host: '', user: undefined, timeoutMs: 1, form: 'TEXT' }
    assert.equal(definition.check?.(options, { channels: [], sinks: [] }).length, 1)
  })
})
