import assert from 'node:assert/strict'
import { aMapper, anIdentity, aRecord, encoded, mapped } from '../../support/mapped-event.js'

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

describe('mapping: headers', () => {
  it('gives exactly the headers of the Log4j 1 appender in profile log4j1-strict', () => {
    const { headers, text } = mapped(aRecord, { profile: 'log4j1-strict' })
    assert.deepEqual(headers, {
      'flume.client.log4j.logger.name': 'billing',
      'flume.client.log4j.timestamp': '1790000000123',
      'flume.client.log4j.address': '10.0.0.7',
      'flume.client.log4j.log.level': '20000',
      'flume.client.log4j.message.encoding': 'UTF8',
    })
    assert.equal(text, 'paid')
  })

  it('keeps log4j1-strict free of anything else, whatever the record and the options hold', () => {
    const { headers, text } = mapped(
      {
        ...aRecord,
        error: new TypeError('no'),
        isUncaught: 'exception',
        traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
        context: { user: 'u1' },
        text: 'x'.repeat(2_000),
      },
      {
        profile: 'log4j1-strict',
        context: { include: '*' },
        headers: { zone: 'a' },
        maxEventBytes: 1_000,
      },
    )
    assert.deepEqual(Object.keys(headers).sort(), [
      'flume.client.log4j.address',
      'flume.client.log4j.log.level',
      'flume.client.log4j.logger.name',
      'flume.client.log4j.message.encoding',
      'flume.client.log4j.timestamp',
    ])
    assert.equal(text, 'x'.repeat(1_000))
  })

  it('adds the headers of Millrace in profile log4j1', () => {
    const { headers } = mapped({ ...aRecord, levelName: 'http', error: new TypeError('no') })
    const { guId, ...others } = headers
    assert.match(guId ?? '', UUID)
    assert.deepEqual(others, {
      'flume.client.log4j.logger.name': 'billing',
      'flume.client.log4j.timestamp': '1790000000123',
      'flume.client.log4j.address': '10.0.0.7',
      'flume.client.log4j.log.level': '20000',
      'flume.client.log4j.message.encoding': 'UTF8',
      timestamp: '1790000000123',
      host: 'web-1',
      'millrace.pid': '4711',
      'millrace.level.name': 'http',
      'millrace.body.format': 'text',
      'millrace.seq': '1',
      'error.type': 'TypeError',
    })
  })

  it('gives timeStamp, guId and the context without prefix in profile log4j2', () => {
    const { headers } = mapped(
      { ...aRecord, context: { user: 'u1', none: null } },
      { profile: 'log4j2', context: { include: '*' } },
    )
    const { guId, ...others } = headers
    assert.match(guId ?? '', UUID)
    assert.deepEqual(others, { timeStamp: '1790000000123', user: 'u1' })
  })

  it('gives timestamp, host and the fixed headers, and a JSON body, in profile minimal', () => {
    const { headers, text } = mapped(aRecord, { profile: 'minimal', headers: { zone: 'a' } })
    assert.deepEqual(headers, { timestamp: '1790000000123', host: 'web-1', zone: 'a' })
    assert.equal(JSON.parse(text).msg, 'paid')
  })

  it('names the worker when there is one', () => {
    const mapper = aMapper({}, { ...anIdentity, worker: 'thread-3' })
    assert.equal(encoded(mapper, aRecord).headers['millrace.worker'], 'thread-3')
  })

  it('counts events and gives each its own id, also across carries', () => {
    const mapper = aMapper()
    const ids = new Set<string | undefined>()
    for (let i = 1; i <= 1_100; i += 1) {
      const { headers } = encoded(mapper, aRecord)
      assert.equal(headers['millrace.seq'], String(i))
      assert.equal(headers['guId']?.slice(-12), i.toString(16).padStart(12, '0'))
      ids.add(headers['guId'])
    }
    assert.equal(ids.size, 1_100)
    const other = encoded(aMapper(), aRecord).headers['guId']
    assert.notEqual(other?.slice(0, 24), [...ids][0]?.slice(0, 24))
  })

  it('follows the time, the logger and the level from record to record', () => {
    const mapper = aMapper()
    const times = [1_790_000_000_123, 1_790_000_000_124, 5, 0, -12, 1e15, 1_790_000_000_123.9]
    const seen = times.map((timestampMs, i) => {
      const level = i % 2 === 0 ? 40_000 : 5_000
      const { headers } = encoded(mapper, {
        ...aRecord,
        timestampMs,
        level,
        loggerName: `logger-${i}`,
      })
      assert.equal(headers['timestamp'], headers['flume.client.log4j.timestamp'])
      assert.equal(headers['flume.client.log4j.log.level'], String(level))
      assert.equal(headers['flume.client.log4j.logger.name'], `logger-${i}`)
      return headers['timestamp']
    })
    assert.deepEqual(seen, [
      '1790000000123',
      '1790000000124',
      '5',
      '0',
      '-12',
      '1000000000000000',
      '1790000000123',
    ])
  })

  it('keeps right when more loggers speak than it remembers', () => {
    const mapper = aMapper()
    for (let i = 0; i < 2_500; i += 1) {
      const { headers } = encoded(mapper, { ...aRecord, loggerName: `l${i % 1_250}` })
      assert.equal(headers['flume.client.log4j.logger.name'], `l${i % 1_250}`)
    }
  })

  it('puts only levels of Log4j on the wire', () => {
    for (const [level, wanted] of [
      [35_000, '30000'],
      [2 ** 53, '50000'],
      [0, '5000'],
      [Number.NaN, '5000'],
    ] as const) {
      const { headers } = mapped({ ...aRecord, level })
      assert.equal(headers['flume.client.log4j.log.level'], wanted)
    }
  })

  it('renames and removes its headers, and adds an alias of the id', () => {
    const { headers } = mapped(aRecord, {
      headerNames: { timestamp: 'ts', host: false, 'millrace.seq': false },
      idHeader: 'id',
      severityNumber: true,
    })
    assert.equal(headers['ts'], '1790000000123')
    assert.equal(headers['timestamp'], undefined)
    assert.equal(headers['host'], undefined)
    assert.equal(headers['millrace.seq'], undefined)
    assert.equal(headers['id'], headers['guId'])
    assert.equal(headers['severity_number'], '9')
  })

  it('can go without any header', () => {
    const { headers, text } = mapped(aRecord, {
      profile: 'minimal',
      body: 'text',
      headerNames: { timestamp: false, host: false },
    })
    assert.deepEqual(headers, {})
    assert.equal(text, 'paid')
  })

  it('carries a trace only when it is valid', () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    const good = mapped({ ...aRecord, traceparent, tracestate: 'a=1' }).headers
    assert.equal(good['traceparent'], traceparent)
    assert.equal(good['tracestate'], 'a=1')
    const long = mapped({ ...aRecord, traceparent, tracestate: 'a'.repeat(513) }).headers
    assert.equal(long['tracestate'], undefined)
    for (const bad of [
      '00-00000000000000000000000000000000-b7ad6b7169203331-01',
      '00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01',
      '01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      'nonsense',
    ]) {
      const { headers } = mapped({ ...aRecord, traceparent: bad, tracestate: 'a=1' })
      assert.equal(headers['traceparent'], undefined)
      assert.equal(headers['tracestate'], undefined)
    }
  })
})

describe('mapping: context headers', () => {
  it('are off until they are asked for', () => {
    const { headers } = mapped({ ...aRecord, context: { user: 'u1' } })
    assert.equal(headers['mdc.user'], undefined)
  })

  it('come from the context first and then from the record, under their prefix', () => {
    const { headers } = mapped(
      { ...aRecord, context: { user: 'u1' }, attributes: { user: 'no', order: 7, big: 12n } },
      { context: { include: ['user', 'order', 'big', 'none'], prefix: 'ctx.' } },
    )
    assert.equal(headers['ctx.user'], 'u1')
    assert.equal(headers['ctx.order'], '7')
    assert.equal(headers['ctx.big'], '12')
    assert.equal('ctx.none' in headers, false)
  })

  it('leave out what is excluded and mark what is required and missing', () => {
    const { headers } = mapped(
      { ...aRecord, context: { a: 1, b: { x: [1] }, secret: 's' } },
      { context: { exclude: ['secret'], required: ['a', 'tenant'] } },
    )
    assert.equal(headers['mdc.a'], '1')
    assert.equal(headers['mdc.b'], '{"x":[1]}')
    assert.equal(headers['mdc.secret'], undefined)
    assert.equal(headers['millrace.context.missing'], 'tenant')
  })

  it('never take the place of a header of the mapping', () => {
    const { headers } = mapped(
      {
        ...aRecord,
        context: { host: 'evil', 'flume.x': '1', 'millrace.pid': '0', topic: 't', key: 'k', ok: 1 },
      },
      { context: { prefix: '' } },
    )
    assert.equal(headers['host'], 'web-1')
    assert.equal(headers['millrace.pid'], '4711')
    for (const name of ['flume.x', 'topic', 'key']) assert.equal(headers[name], undefined)
    assert.equal(headers['ok'], '1')
  })

  it('go before a fixed header of the same name', () => {
    const options = { headers: { 'mdc.zone': 'fixed' }, context: { include: ['zone'] } }
    assert.equal(mapped(aRecord, options).headers['mdc.zone'], 'fixed')
    const { headers } = mapped({ ...aRecord, context: { zone: 'own' } }, options)
    assert.equal(headers['mdc.zone'], 'own')
  })

  it('stay within 64 entries, 8 KiB a value and 32 KiB in all', () => {
    const many = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`k${i}`, i]))
    const { headers } = mapped({ ...aRecord, context: many }, { context: {} })
    assert.equal(Object.keys(headers).filter((name) => name.startsWith('mdc.')).length, 64)

    const mapper = aMapper({ context: {} })
    const large = Object.fromEntries(
      Array.from({ length: 10 }, (_, i) => [`k${i}`, 'ä'.repeat(9_000)]),
    )
    const event = encoded(mapper, { ...aRecord, context: large })
    const values = Object.entries(event.headers).filter(([name]) => name.startsWith('mdc.'))
    assert.equal(values.length, 3)
    for (const [, value] of values) assert.equal(Buffer.byteLength(value), 8_192)
    assert.ok(event.bytes.length < 33_000)
    assert.equal(mapper.counters.droppedHeaders, 7)
  })
})
