import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { Appender, appenderOptions, checkAppenderOptions } from '@millrace/appender'
import { createDestination } from '@millrace/pino'
import { MillraceError } from '@millrace/runtime'
import { MillraceTransport } from '@millrace/winston'
import { TestCertificate } from '../../support/certificates.js'

const { cert, key } = new TestCertificate('a')
const ca = cert

const defaults = { loggerName: 'test' }

function refusal(options: unknown): string {
  try {
    checkAppenderOptions(options)
  } catch (error) {
    assert.ok(MillraceError.is(error))
    assert.equal(error.code, 'MILLRACE_OPTION_INVALID')
    return error.message
  }
  return 'accepted'
}

describe('options of an appender', () => {
  it('have the documented defaults', () => {
    const options = checkAppenderOptions({ hosts: ['h:1'] })
    assert.equal(options.strategy, 'round_robin')
    assert.deepEqual(options.batch, { maxEvents: 100, maxBytes: 1_048_576, lingerMs: 200 })
    assert.equal(options.queue.maxEvents, 10_000)
    assert.equal(options.queue.maxBytes, 33_554_432)
    assert.equal(options.queue.policy, 'drop-oldest')
    assert.equal(options.connectTimeoutMs, 5_000)
    assert.equal(options.requestTimeoutMs, 20_000)
    assert.deepEqual(options.backoff, { minMs: 1_000, maxMs: 30_000 })
    assert.equal(options.urgentLevel, 40_000)
    assert.equal(options.lanes, 1)
    assert.equal(options.maxInFlight, 1)
  })

  it('take hosts in all their forms', () => {
    const hosts = (value: unknown) =>
      checkAppenderOptions({ hosts: value }).hosts.map(({ host, port, weight }) => [
        host,
        port,
        weight,
      ])
    const two = [
      ['h1', 1, 1],
      ['h2', 2, 1],
    ]
    assert.deepEqual(hosts(['h1:1', 'h2:2']), two)
    assert.deepEqual(hosts(' h1:1  h2:2 '), two)
    assert.deepEqual(hosts([{ host: 'h1', port: 1, weight: 7 }, 'h2:2'])[0], ['h1', 1, 7])
    assert.deepEqual(hosts(['[::1]:41414']), [['::1', 41_414, 1]])
  })

  it('refuse what is not valid and name the option', () => {
    const ok = { hosts: ['h:1'] }
    const cases: [unknown, RegExp][] = [
      [{}, /^hosts is missing/],
      [undefined, /^The options must be an object/],
      [{ hosts: [] }, /^hosts must be a list/],
      [{ hosts: 41_414 }, /^hosts must be a list/],
      [{ hosts: ['h'] }, /^hosts\[0\] must have the form 'host:port', not "h"/],
      [{ hosts: ['h:1', 'h:70000'] }, /^hosts\[1\] must be a whole number from 1 to 65535/],
      [{ hosts: ['h:1', 'h:1'] }, /^hosts names h:1 twice/],
      [{ hosts: [{ host: 'h', port: 1, wieght: 2 }] }, /^Unknown option hosts\[0\]\.wieght/],
      [{ hosts: [{ host: 'h', port: '1' }] }, /^hosts\[0\]\.port must be a whole number/],
      [{ hostz: ['h:1'] }, /^Unknown option hostz; did you mean hosts\?/],
      [{ ...ok, stratgy: 'random' }, /^Unknown option stratgy; did you mean strategy\?/],
      [
        { ...ok, strategy: 'round-robin' },
        /^strategy must be one of .*; did you mean round_robin\?/,
      ],
      [
        { ...ok, queue: { maxEvent: 1 } },
        /^Unknown option queue\.maxEvent; did you mean maxEvents\?/,
      ],
      [{ ...ok, queue: { maxEvents: 0 } }, /^queue\.maxEvents must be a whole number from 1/],
      [{ ...ok, queue: { policy: 'spool' } }, /^queue\.directory is missing: the spool needs one/],
      [{ ...ok, queue: { directory: '' } }, /^queue\.directory must be a text that is not empty/],
      [{ ...ok, queue: { maxDiskBytes: 1 } }, /^queue\.maxDiskBytes must be a whole number from/],
      [{ ...ok, queue: 'drop-oldest' }, /^queue must be an object, not a text/],
      [{ ...ok, queue: new Map() }, /^queue must be an object, not a Map/],
      [{ ...ok, queue: null }, /^queue must be an object, not null/],
      [{ hosts: [{ host: 'a b', port: 1 }] }, /^hosts\[0\]\.host must be a host name/],
      [{ hosts: [{ host: 'http://a', port: 1 }] }, /^hosts\[0\]\.host must be a host name/],
      [{ hosts: [{ host: '[::1]', port: 1 }] }, /^hosts\[0\]\.host must be a host name/],
      [{ hosts: ['[::zz]:1'] }, /^hosts\[0\] must have the form 'host:port'/],
      [{ hosts: ['a/b:1'] }, /^hosts\[0\] must have the form 'host:port'/],
      [{ ...ok, batch: { lingerMs: -1 } }, /^batch\.lingerMs must be a whole number from 0/],
      [{ ...ok, batch: { lingerMs: 1.5 } }, /^batch\.lingerMs must be a whole number/],
      [{ ...ok, requestTimeoutMs: '20s' }, /^requestTimeoutMs must be a whole number .* not "20s"/],
      [{ ...ok, backoff: { minMs: 10, maxMs: 5 } }, /^backoff\.minMs \(10\) must not exceed/],
      [{ ...ok, maxInFlight: 9 }, /^maxInFlight must be a whole number from 1 to 8/],
      [{ ...ok, urgentLevel: 'eror' }, /^urgentLevel must be one of .*; did you mean error\?/],
      [{ ...ok, compression: 'gzip' }, /^compression must be one of none, deflate/],
      [{ ...ok, tls: { CA: 'x' } }, /^Unknown option tls\.CA; did you mean ca\?/],
      [{ ...ok, tls: { ca: 5 } }, /^tls\.ca must be PEM text or bytes/],
      [{ ...ok, tls: 'yes' }, /^tls must be an object/],
      [{ ...ok, deadLetter: {} }, /^deadLetter\.directory is missing/],
      [{ ...ok, deadLetter: 'dir' }, /^deadLetter must be an object/],
      [{ ...ok, onDiagnostic: 'x' }, /^onDiagnostic must be a function/],
      [{ ...ok, body: 'avro' }, /^body must be one of text, json, ndjson, layout, not "avro"/],
      [{ ...ok, profile: 'log4j3' }, /^profile must be one of/],
    ]
    for (const [options, message] of cases) assert.match(refusal(options), message)
  })

  it('never show the content of a secret', () => {
    const message = refusal({ hosts: ['h:1'], tls: { key: { secret: 'hunter2' } } })
    assert.doesNotMatch(message, /hunter2/)
  })

  it('refuse keys and certificates that cannot be used, without showing them', () => {
    const broken = cert.replace(/[A-Za-z]{20}/, 'AAAAAAAAAAAAAAAAAAAA')
    const cases: [unknown, RegExp][] = [
      [{ ca: '/etc/ssl/ca.pem' }, /^tls\.ca must be what a PEM file holds \(.*\), not its path$/],
      [{ ca: Buffer.from([1, 2, 3]) }, /^tls\.ca must be what a PEM file holds/],
      [{ ca: key }, /^tls\.ca holds no certificate$/],
      [{ ca: [ca, broken] }, /^tls\.ca\[1\] holds a certificate that cannot be read: /],
      [{ ca: [] }, /^tls\.ca must name at least one certificate$/],
      [{ cert, key: './key.pem' }, /^tls\.key must be what a PEM file holds/],
      [{ cert }, /^tls\.cert and tls\.key must be given together$/],
      [{ cert: broken, key }, /^tls\.cert, tls\.key cannot be used: /],
      [
        { cert: new TestCertificate('b').cert, key },
        /^tls\.cert, tls\.key cannot be used: .*mismatch/,
      ],
      [{ pfx: Buffer.from('x') }, /^tls\.pfx cannot be used: /],
      [{ pfx: 'x' }, /^tls\.pfx must be the bytes of a PKCS#12 file, not a text$/],
      [{ ciphers: 'NO-SUCH-ONE' }, /^tls\.ciphers cannot be used: /],
      [{ minVersion: 'TLSv1.3', maxVersion: 'TLSv1.2' }, /^tls\.minVersion must not exceed/],
      [cert, /^tls must be an object, not a text$/],
    ]
    for (const [tls, message] of cases) {
      const said = refusal({ hosts: ['h:1'], tls })
      assert.match(said, message)
      assert.doesNotMatch(said, /MII|BEGIN [A-Z]/)
    }
    assert.equal(refusal({ hosts: ['h:1'], tls: { ca: [ca], cert, key } }), 'accepted')
  })

  it('survive a structured clone', () => {
    const options = {
      hosts: ['h:1', { host: 'i', port: 2 }],
      tls: { ca: Buffer.from(ca), cert: undefined },
      queue: { maxEvents: 5 },
      deadLetter: { directory: '/tmp/x' },
    }
    assert.doesNotThrow(() => new Appender(structuredClone(options), defaults))
  })

  it('leave the options of an adapter alone', () => {
    const options = { hosts: ['h:1'], level: 'info' }
    assert.match(refusal(options), /^Unknown option level/)
    assert.doesNotThrow(() => new Appender(options, { ...defaults, adapterOptions: ['level'] }))
  })

  it('are all explained in the reference', async () => {
    const page = new URL('../../../../docs/reference/appender-options.md', import.meta.url)
    const text = await readFile(page, 'utf8')
    const missing = Object.keys(appenderOptions).filter(
      (name) => !new RegExp(`\`${name}[\`.]`).test(text),
    )
    assert.deepEqual(missing, [])
  })

  it('must be there, also for an adapter', () => {
    for (const given of [undefined, null, 5, 'h:1']) {
      assert.throws(() => Reflect.construct(MillraceTransport, [given]), {
        code: 'MILLRACE_OPTION_INVALID',
      })
      assert.throws(() => Reflect.apply(createDestination, undefined, [given]), {
        code: 'MILLRACE_OPTION_INVALID',
      })
    }
  })
})
