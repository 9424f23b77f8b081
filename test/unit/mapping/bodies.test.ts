import assert from 'node:assert/strict'
import { aMapper, aRecord, encoded, mapped } from '../../support/mapped-event.js'

describe('mapping: text bodies', () => {
  it('are the text, in UTF-8 and without a newline of their own', () => {
    for (const text of ['', 'x', 'grüße ☃ 𝄞', 'ä'.repeat(31), 'ä'.repeat(33), '☃'.repeat(5_000)]) {
      assert.equal(mapped({ ...aRecord, text }).text, text)
    }
  })

  it('replace lone surrogates', () => {
    assert.equal(mapped({ ...aRecord, text: 'a\ud800b' }).text, 'a\ufffdb')
    const { headers } = mapped({ ...aRecord, loggerName: '\udc00x' })
    assert.equal(headers['flume.client.log4j.logger.name'], '\ufffdx')
  })

  it('take bytes as they are', () => {
    const text = Buffer.from([0, 255, 1])
    assert.deepEqual(mapped({ ...aRecord, text }).body, text)
  })

  it('show the stack of an error with its causes', () => {
    const error = new TypeError('outer', { cause: new RangeError('inner', { cause: 'a text' }) })
    const { text } = mapped({ ...aRecord, error })
    assert.ok(text.startsWith('paid\nTypeError: outer\n    at '))
    assert.match(text, /\nCaused by: RangeError: inner\n {4}at /)
    assert.match(text, /\nCaused by: a text$/)
  })

  it('show the errors of an AggregateError', () => {
    const errors = Array.from({ length: 12 }, (_, i) => new Error(`e${i}`))
    const { text, headers } = mapped({ ...aRecord, error: new AggregateError(errors, 'all') })
    assert.equal(headers['error.type'], 'AggregateError')
    assert.match(text, /\nAggregated 10: Error: e9\n/)
    assert.match(text, /\n\[2 more errors\]$/)
  })

  it('end where causes form a circle', () => {
    const first = new Error('first')
    const second = new Error('second', { cause: first })
    first.cause = second
    const { text } = mapped({ ...aRecord, error: first })
    assert.match(text, /Caused by: Error: second\n[^]*\nCaused by: \[Circular\]$/)
  })

  it('do not repeat a stack that the text shows, as it is or inside JSON', () => {
    const error = new Error('bad "thing"')
    for (const text of [`x ${error.stack}`, JSON.stringify({ stack: error.stack })]) {
      assert.equal(mapped({ ...aRecord, text, error }).text, text)
    }
  })

  it('leave the stack out when asked to, and in profile log4j1-strict', () => {
    const record = { ...aRecord, error: new Error('no') }
    assert.equal(mapped(record, { appendStack: false }).text, 'paid')
    assert.equal(mapped(record, { profile: 'log4j1-strict' }).text, 'paid')
    const options = { profile: 'log4j1-strict', appendStack: true }
    assert.match(mapped(record, options).text, /^paid\nError: no\n/)
  })

  it('are cut between code points and marked with their length', () => {
    const mapper = aMapper({ maxEventBytes: 1_000 })
    const { headers, text } = encoded(mapper, { ...aRecord, text: '☃'.repeat(400) })
    assert.equal(text, '☃'.repeat(333))
    assert.equal(headers['millrace.truncated'], '1200')
    assert.equal(mapper.counters.truncated, 1)
    const whole = encoded(mapper, { ...aRecord, text: 'x'.repeat(1_000) })
    assert.equal(whole.text.length, 1_000)
    assert.equal(whole.headers['millrace.truncated'], undefined)
  })
})

describe('mapping: JSON bodies', () => {
  const json = (record: object, options: object = {}) =>
    JSON.parse(mapped({ ...aRecord, ...record }, { body: 'json', ...options }).text)

  it('have the fields of version 1 in their order', () => {
    const event = mapped(
      {
        ...aRecord,
        levelName: 'http',
        attributes: { order: 7 },
        args: ['more', 1],
        context: { user: 'u1' },
        source: { file: 'a.js', line: 3 },
        traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      },
      { body: 'json' },
    )
    const document = JSON.parse(event.text)
    assert.deepEqual(document, {
      v: 1,
      ts: '2026-09-21T14:13:20.123Z',
      level: 'http',
      levelValue: 20_000,
      logger: 'billing',
      msg: 'paid',
      attrs: { order: 7 },
      args: ['more', 1],
      ctx: { user: 'u1' },
      trace: {
        traceId: '0af7651916cd43dd8448eb211c80319c',
        spanId: 'b7ad6b7169203331',
        flags: '01',
      },
      src: { file: 'a.js', line: 3 },
      host: 'web-1',
      pid: 4_711,
      id: event.headers['guId'],
      seq: 1,
    })
    assert.equal(event.headers['millrace.body.format'], 'json')
    assert.equal(event.headers['flume.client.log4j.message.encoding'], 'UTF8')
  })

  it('hold an error with its cause, codes, own properties and siblings', () => {
    class StoreError extends Error {
      readonly code = 'E_STORE'
      readonly table = 'orders'
      override readonly cause: unknown
      constructor(message: string, cause: unknown) {
        super(message)
        this.cause = cause
      }
    }
    const error = new StoreError('no', new RangeError('deep'))
    const { err } = json({ error, others: [new TypeError('second')] })
    assert.equal(err.type, 'StoreError')
    assert.equal(err.name, 'Error')
    assert.equal(err.message, 'no')
    assert.match(err.stack, /^Error: no\n/)
    assert.equal(err.code, 'E_STORE')
    assert.equal(err.cause.type, 'RangeError')
    assert.deepEqual(err.props, { table: 'orders' })
    assert.equal(err.others[0].type, 'TypeError')
  })

  it('hold thrown values that are no errors', () => {
    assert.deepEqual(json({ error: 'a text' }).err, { type: 'string', message: 'a text' })
    assert.deepEqual(json({ error: 7n }).err, { type: 'bigint', message: '"7"' })
  })

  it('spell what JSON cannot', () => {
    class Money {
      toJSON() {
        return '7 EUR'
      }
    }
    const circle: Record<string, unknown> = { name: 'c' }
    circle['self'] = circle
    const { attrs } = json({
      attributes: {
        big: 12n,
        nan: Number.NaN,
        infinite: Number.NEGATIVE_INFINITY,
        date: new Date(0),
        noDate: new Date(Number.NaN),
        map: new Map([['a', 1]]),
        pairs: new Map([[1, 2]]),
        set: new Set([1, 'b']),
        bytes: Buffer.from('hi'),
        regexp: /a"b/g,
        url: new URL('http://h/x'),
        money: new Money(),
        circle,
        none: undefined,
        call: () => 1,
        [Symbol('s')]: 1,
        error: new TypeError('inside'),
        get bad() {
          throw new Error('getter')
        },
      },
    })
    assert.equal(attrs.error.type, 'TypeError')
    delete attrs.error
    assert.deepEqual(attrs, {
      big: '12',
      nan: 'NaN',
      infinite: '-Infinity',
      date: '1970-01-01T00:00:00.000Z',
      noDate: null,
      map: { a: 1 },
      pairs: [[1, 2]],
      set: [1, 'b'],
      bytes: 'aGk=',
      regexp: '/a"b/g',
      url: 'http://h/x',
      money: '7 EUR',
      circle: { name: 'c', self: '[Circular]' },
      bad: '[Throws]',
    })
  })

  it('replace lone surrogates, also in names', () => {
    const { text } = mapped(
      { ...aRecord, text: 'a\ud800', attributes: { 'k\udfff': 'b\ud800c' } },
      { body: 'json' },
    )
    assert.doesNotMatch(text, /\\ud/)
    const { msg, attrs } = JSON.parse(text)
    assert.deepEqual({ msg, attrs }, { msg: 'a\ufffd', attrs: { 'k\ufffd': 'b\ufffdc' } })
  })

  it('stay within their limits', () => {
    const deep = { a: { a: { a: { a: { a: { a: { a: { a: { a: { a: 1 } } } } } } } } } }
    const { attrs } = json({
      attributes: { deep, many: Array.from({ length: 1_200 }, () => 0), long: 'x'.repeat(70_000) },
    })
    assert.match(JSON.stringify(attrs.deep), /Too deep/)
    assert.equal(attrs.many.length, 1_001)
    assert.equal(attrs.many[1_000], '[200 more items]')
    assert.equal(attrs.long.length, 65_536 + '…[cut, 70000 characters]'.length)
  })

  it('are cut field by field and stay valid', () => {
    const options = { body: 'json', maxEventBytes: 8_192 }
    const cut = mapped({ ...aRecord, attributes: { long: 'x'.repeat(10_000) } }, options)
    const document = JSON.parse(cut.text)
    assert.equal(document.attrs, undefined)
    assert.equal(document.msg, 'paid')
    assert.ok(Number(cut.headers['millrace.truncated']) > 10_000)

    const error = new Error('\u0001'.repeat(20_000), { cause: new Error('☃'.repeat(20_000)) })
    const more = mapped({ ...aRecord, text: '"'.repeat(20_000), error }, options)
    assert.ok(more.body.length <= 8_192)
    assert.match(JSON.parse(more.text).msg, /^"+…\[cut, 20000 characters\]$/)
  })

  it('rename fields, and put attributes on the top level without losing any', () => {
    const document = json(
      { attributes: { order: 7, id: 'mine', id_: 'too', 'log.level': 'x' } },
      { flatten: true, fieldNames: { level: 'log.level', msg: 'message' } },
    )
    assert.equal(document.message, 'paid')
    assert.equal(document['log.level'], 'info')
    assert.equal(document['log.level_'], 'x')
    assert.equal(document.order, 7)
    assert.equal(document.id__, 'mine')
    assert.equal(document.id_, 'too')
    assert.match(document.id, /^[0-9a-f-]{36}$/)
  })
})

describe('mapping: redaction', () => {
  const redact = ['password', 'Authorization']
  const secret = 'hunter2'

  it('hides named fields of any depth and case in JSON bodies, and changes nothing of the record', () => {
    const attributes = {
      PASSWORD: secret,
      user: { password: secret, list: [{ authorization: secret }], name: 'ann' },
      map: new Map([['password', secret]]),
      failed: Object.assign(new Error('x'), { password: secret }),
    }
    const record = {
      ...aRecord,
      attributes,
      args: [{ password: secret }],
      context: { authorization: secret },
      error: Object.assign(new Error('y'), { config: { headers: { authorization: secret } } }),
      others: [{ message: 'm', stack: 's', password: secret }],
    }
    const { text } = mapped(record, { body: 'json', redact })
    assert.doesNotMatch(text, /hunter2/)
    const document = JSON.parse(text)
    assert.equal(document.attrs.PASSWORD, '[Redacted]')
    assert.equal(document.attrs.user.list[0].authorization, '[Redacted]')
    assert.equal(document.attrs.user.name, 'ann')
    assert.equal(document.err.props.config.headers.authorization, '[Redacted]')
    assert.equal(document.ctx.authorization, '[Redacted]')
    assert.equal(attributes.user.password, secret)
    assert.match(mapped(record, { body: 'json', flatten: true }).text, /hunter2/)
    assert.doesNotMatch(mapped(record, { body: 'json', flatten: true, redact }).text, /hunter2/)
  })

  it('hides them in context headers', () => {
    const context = { password: secret, user: { password: secret, id: 7 } }
    const { headers } = mapped({ ...aRecord, context }, { redact, context: {} })
    assert.equal(headers['mdc.password'], '[Redacted]')
    assert.equal(headers['mdc.user'], '{"password":"[Redacted]","id":7}')
  })
})

describe('mapping: options', () => {
  it('are refused by name', () => {
    for (const [options, message] of [
      [{ profile: 'log4j3' }, /^profile must be one of log4j1, log4j1-strict, log4j2, minimal/],
      [{ body: 'avro' }, /^body must be one of text, json, ndjson, layout, not "avro"/],
      [{ body: 'xml' }, /^body must be one of text, json, ndjson, layout/],
      [{ levelMap: { notice: 25_000 } }, /^levelMap\.notice must be one of 5000, 10000, /],
      [{ headers: { host: 'x' } }, /^headers\.host: this header belongs to the mapping/],
      [{ headers: { 'flume.x': 'x' } }, /^headers\.flume\.x: /],
      [{ headers: () => ({}) }, /^headers as a function is not available yet/],
      [{ headers: { a: 1 } }, /^headers\.a must be a text/],
      [{ headerNames: { host: 1 } }, /^headerNames\.host must be a name or false/],
      [{ context: { includes: [] } }, /^Unknown option context\.includes; did you mean/],
      [{ context: { include: 'a' } }, /^context\.include must be a list of names/],
      [{ appendStack: 'no' }, /^appendStack must be true or false/],
      [{ idHeader: '' }, /^idHeader: a header's name has between 1 and 256 bytes/],
    ] as const) {
      assert.throws(() => aMapper(options), { code: 'MILLRACE_OPTION_INVALID', message })
    }
  })
})
