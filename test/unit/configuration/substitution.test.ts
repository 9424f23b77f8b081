import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { builtinComponents } from '@millrace/agent-core'
import { testComponents } from '../../support/configuration/test-components.js'
import { temporaryDirectory } from '../../support/temp-directory.js'
import { load, type LoadOptions, shortForm } from '../../support/configuration/loading.js'

const AGENT = `a1.sources = r1
a1.channels = c1
a1.channels.c1.type = tank
a1.sources.r1.type = line_in
a1.sources.r1.channels = c1
a1.sources.r1.port = 1
`

/** The value that the source gets for `bind`, and what was found on its line. */
async function bind(value: string, options: LoadOptions & { more?: string } = {}) {
  const { more = '', ...others } = options
  const { configuration, findings } = await load(
    `${AGENT}a1.sources.r1.bind = ${value}\n${more}`,
    others,
  )
  return {
    value: configuration?.sources[0]?.options['bind'],
    findings: findings.filter(({ line }) => line === 7).map((each) => shortForm(each)),
    message: findings.find(({ line }) => line === 7)?.message,
  }
}

const filters = builtinComponents.filter(({ kind }) => kind === 'configFilter')
const environment = { HOST: 'db', EMPTY: '', DOLLAR: 'p${env:HOST}', 'A.B': 'dotted' }
const systemProperties = { host: 'sysdb', 'a.b': 'dots' }

describe('a value with ${…}', () => {
  it('takes variables of the environment', async () => {
    assert.equal((await bind('x-${env:HOST}-${ENV:A.B}', { environment })).value, 'x-db-dotted')
  })

  it('takes system properties given with -D', async () => {
    const { value } = await bind('${sys:host}/${sys:a.b}', { systemProperties })
    assert.equal(value, 'sysdb/dots')
  })

  it('takes other keys of the file, before and after it, resolved', async () => {
    const more = 'base = ${env:HOST}\nother.agent.host = ${base}.local\n'
    const { value, findings } = await bind('${other.agent.host}:${a1.sources.r1.port}', {
      environment,
      more,
    })
    assert.equal(value, 'db.local:1')
    assert.deepEqual(findings, [])
  })

  it('takes the last value of a key that stands twice', async () => {
    assert.equal((await bind('${x.y}', { more: 'x.y = 1\nx.y = 2' })).value, '2')
  })

  it('has defaults, which may be empty, hold references, and are looked at only when needed', async () => {
    assert.equal((await bind('a${env:NO:-b}${no:-}${env:NO:-x:-y}')).value, 'abx:-y')
    assert.equal((await bind('${env:NO:-${env:HOST}}', { environment })).value, 'db')
    assert.equal((await bind('${env:HOST:-${env:NO}}', { environment })).value, 'db')
  })

  it('nests names', async () => {
    const more = 'x.db = nested\nkind = db'
    assert.equal((await bind('${x.${kind}}', { more })).value, 'nested')
    assert.equal((await bind('${env:${kind}:-d}', { more })).value, 'd')
  })

  it('keeps $${ as a literal ${', async () => {
    assert.equal((await bind('$${env:NO} $$${x} a$b }')).value, '${env:NO} $${x} a$b }')
  })

  it('takes what the environment gives as it is', async () => {
    assert.equal((await bind('${env:DOLLAR}', { environment })).value, 'p${env:HOST}')
  })

  it('falls back to a key of the bare name for a prefix that finds nothing', async () => {
    assert.equal((await bind('${env:fallback.key}', { more: 'fallback.key = 7' })).value, '7')
  })

  it('looks bare names up in the environment when Flume’s switch is given', async () => {
    const options = {
      environment,
      systemProperties: {
        propertiesImplementation: 'org.apache.flume.node.EnvVarResolverProperties',
      },
    }
    assert.equal((await bind('${HOST}', options)).value, 'db')
    assert.equal((await bind('${HOST}', { environment })).value, '${HOST}')
  })

  it('is an error naming the variable that is not set', async () => {
    const { value, findings, message } = await bind('${env:NO} ${sys:no}')
    assert.equal(value, undefined)
    assert.deepEqual(findings, [
      '7 error INVALID a1.sources.r1.bind',
      '7 error INVALID a1.sources.r1.bind',
    ])
    assert.match(message ?? '', /\bNO\b/)
  })

  it('stays as written, with a warning, when nobody knows the name', async () => {
    const { value, findings, message } = await bind('${a1.sources.r1.prt} ${unclosed')
    assert.equal(value, '${a1.sources.r1.prt} ${unclosed')
    assert.deepEqual(findings, [
      '7 warning UNKNOWN_NAME a1.sources.r1.bind',
      '7 warning UNKNOWN_NAME a1.sources.r1.bind',
    ])
    assert.match(message ?? '', /did you mean "a1\.sources\.r1\.port"/)
  })

  it('takes the lookups of Commons Text', async () => {
    const directory = temporaryDirectory()
    writeFileSync(join(directory, 'secret.txt'), 'grün\n')
    writeFileSync(join(directory, 'more.properties'), 'a.b = 1\nport = 4\u0031\n')
    const now = new Date(2026, 10, 24, 5, 6, 7)
    const given: Record<string, string> = {
      "${date:yyyy-MM-dd'T'HH:mm:ss}": '2026-11-24T05:06:07',
      '${date:EEE, d MMM yy, h a}': 'Tue, 24 Nov 26, 5 AM',
      '${DATE:EEEE MMMM D}': 'Tuesday November 328',
      '${base64Encoder:hello}': 'aGVsbG8=',
      '${base64Decoder:aGVsbG8=}': 'hello',
      '${urlEncoder:a b&c}': 'a+b%26c',
      '${urlDecoder:a+b%26c}': 'a b&c',
      [`\${file:UTF-8:${directory}/secret.txt}`]: 'grün',
      [`\${properties:${directory}/more.properties::port}`]: '41',
      '${dns:address|127.0.0.1}': '127.0.0.1',
      '${java:version}': `Node ${process.version}`,
      [`\${file:UTF-8:\${env:DIRECTORY}/secret.txt}x`]: 'grün\nx',
    }
    for (const [text, value] of Object.entries(given)) {
      const taken = await bind(text, { now, environment: { DIRECTORY: directory } })
      assert.deepEqual(taken, { value, findings: [], message: undefined }, text)
    }
    assert.equal((await bind('${localhost:name}')).value, hostname())
  })

  it('refuses by name what needs Java, and says what a lookup could not do', async () => {
    for (const value of ['${const:a.B.C}', '${script:javascript:1}', '${xml:a:b}']) {
      assert.deepEqual((await bind(value)).findings, ['7 error UNSUPPORTED a1.sources.r1.bind'])
    }
    for (const value of [
      '${file:UTF-8:/no/such/file}',
      '${file:nonsense}',
      '${date:QQQ}',
      '${localhost:zzz}',
      '${properties:/no/such::x}',
      '${java:zzz}',
    ]) {
      assert.deepEqual((await bind(value)).findings, ['7 error INVALID a1.sources.r1.bind'], value)
    }
    assert.equal((await bind('${localhost:zzz:-d}')).value, 'd')
  })

  it('asks config filters, with or without quotes', async () => {
    const more = `a1.configfilters = f1 f2
a1.configfilters.f1.type = env
a1.configfilters.f2.type = external
a1.configfilters.f2.command = printf %s-\${sys:tail}\\n
`
    const options = { more, components: [...testComponents, ...filters] }
    for (const text of ["${f1['HOST']}", '${f1["HOST"]}', '${f1[HOST]}']) {
      const taken = await bind(text, {
        ...options,
        environment,
        systemProperties: { tail: 'x' },
      })
      assert.deepEqual([taken.value, taken.findings], ['db', []], text)
    }
    const run = { ...options, environment: process.env, systemProperties: { tail: 'end' } }
    assert.deepEqual((await bind("${f2['key']}", run)).value, 'key-end')
    assert.equal((await bind("${f1['NO_SUCH']:-default}", run)).value, 'default')
    for (const [text, code] of [
      ["${f1['NO_SUCH']}", 'INVALID'],
      ["${store['key']}", 'UNKNOWN_NAME'],
    ]) {
      assert.deepEqual((await bind(text ?? '', run)).findings, [
        `7 error ${code} a1.sources.r1.bind`,
      ])
    }
    const failing = { ...run, more: more.replace('printf', 'false') }
    assert.match((await bind("${f2['key']}", failing)).message ?? '', /false ended with 1/)
  })

  it('refuses a circle and names it', async () => {
    const { findings, message } = await bind('${x.a}', { more: 'x.a = ${x.b}\nx.b = ${x.a}' })
    assert.deepEqual(findings, ['7 error INVALID a1.sources.r1.bind'])
    assert.match(message ?? '', /x\.a → x\.b → x\.a/)
    assert.match((await bind('${a1.sources.r1.bind}')).message ?? '', /refers to itself/)
  })

  it('stops values that grow or nest without end', async () => {
    const doubling = Array.from({ length: 30 }, (_, i) => `x.${i} = \${x.${i + 1}}\${x.${i + 1}}`)
    const grown = await bind('${x.0}', { more: `${doubling.join('\n')}\nx.30 = 1234567890` })
    assert.deepEqual(grown.findings, ['7 error INVALID a1.sources.r1.bind'])
    const deep = await bind(`${'${'.repeat(5_000)}x${'}'.repeat(5_000)}`)
    assert.match(deep.findings.join(), /error INVALID/)
    // One finding for each thing that is wrong, not one for each of a billion paths to it.
    const unset = doubling.concat('x.30 = ${env:NO}').join('\n')
    assert.equal((await bind('${x.0}', { more: unset })).findings.length, 2)
  })

  it('is never replaced in a key', async () => {
    const { findings } = await load(`${AGENT}a1.sources.r1.bind = x\na1.sources.r1.\${sys.A} = 1`)
    assert.deepEqual(findings.map(shortForm), [
      '3 warning UNUSED a1.channels.c1',
      '8 error UNKNOWN_PROPERTY a1.sources.r1.${sys.A}',
    ])
  })
})
