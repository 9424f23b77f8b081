import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { OptionNote } from '@millrace/agent-core'
import { runMillrace } from '../../support/command.js'
import { temporaryDirectory } from '../../support/temp-directory.js'

const LINES = [
  'a1.sources = r1',
  'a1.channels = c1',
  'a1.sinks = k1',
  'a1.sources.r1.type = avro',
  'a1.sources.r1.bind = ${env:BIND}',
  'a1.sources.r1.port = 41414',
  'a1.sources.r1.channels = c1',
  'a1.sources.r1.ssl = true',
  'a1.sources.r1.keystore-password = hunter2',
  'a1.channels.c1.type = memory',
  'a1.sinks.k1.type = logger',
  'a1.sinks.k1.channel = c1',
]
const environment = { BIND: '127.0.0.1', FLUME_SSL_KEYSTORE_PATH: '/k.p12' }

function written(...more: string[]): string {
  const file = join(temporaryDirectory(), 'flume.properties')
  writeFileSync(file, [...LINES, ...more].join('\n'))
  return file
}

const explain = (file: string, ...words: string[]) =>
  runMillrace(['explain', '-n', 'a1', '-f', file, ...words], { environment })

describe('millrace explain', () => {
  it('shows each value with the line, variable, property or default that it comes from', async () => {
    const file = written()
    const { code, stdout } = await explain(file, '-Djavax.net.ssl.trustStore=/t.p12')
    assert.equal(code, 0)
    for (const expected of [
      `source r1 (avro)\n`,
      `  a1.sources.r1.port = 41414\n      ${file}:6\n`,
      `  a1.sources.r1.bind = 127.0.0.1\n      ${file}:5 as \${env:BIND}\n`,
      `  a1.sources.r1.keystore = /k.p12\n      environment variable FLUME_SSL_KEYSTORE_PATH\n`,
      `  a1.sources.r1.truststore = /t.p12\n      system property javax.net.ssl.trustStore\n`,
      `  a1.sources.r1.ipFilter = false\n      the default\n`,
      `  a1.sources = r1\n      ${file}:1\n`,
    ])
      assert.ok(stdout.includes(expected), `${expected}\nis not in\n${stdout}`)
    assert.doesNotMatch(stdout, /not set/)
  })

  it('gives every key as JSON, those that are not set too', async () => {
    const file = written()
    const { code, stdout } = await explain(file, '--json')
    assert.equal(code, 0)
    const notes: OptionNote[] = JSON.parse(stdout)
    const originOf = (key: string) => notes.find((note) => note.key === key)?.origin
    assert.deepEqual(originOf('a1.sources.r1.bind'), {
      from: 'file',
      file,
      line: 5,
      written: '${env:BIND}',
    })
    assert.deepEqual(originOf('a1.sources.r1.truststore'), { from: 'unset' })
    assert.deepEqual(originOf('a1.sinks.k1.maxBytesToLog'), { from: 'default' })
  })

  it('shows no secret, wherever it stands', async () => {
    const file = written(
      'a1.sources.r1.truststore-password = hunter${env:BIND}',
      'a1.sources.r2.keystore-password = ${env:NOT_THERE:-hunter3}',
      'a1.sources.r2.password = ${base64Decoder:aHVudGVyNA==}',
      'a1.sources.r2.url = http://me:hunter5@${env:BIND}/',
      'a1.sources.r2.note = ${env:DB_PASSWORD:-hunter6}',
    )
    for (const words of [[], ['--json']]) {
      const { stdout } = await explain(file, '-Djavax.net.ssl.trustStorePassword=hunter7', ...words)
      assert.match(stdout, /a1\.sources\.r2\.url/)
      assert.match(stdout, /\*\*\*/)
      assert.doesNotMatch(stdout, /hunter|aHVudGVy/)
    }
  })

  it('shows what it can and exits with 1 when the configuration has an error', async () => {
    const { code, stdout, stderr } = await explain(written('a1.sources.r1.prot = 1'))
    assert.equal(code, 1)
    assert.match(stderr, /:13: error MILLRACE_CONFIG_UNKNOWN_PROPERTY a1\.sources\.r1\.prot/)
    assert.match(stdout, /a1\.sources\.r1\.port = 41414/)
  })

  it('is explained by help', async () => {
    const { code, stdout } = await runMillrace(['help', 'explain'])
    assert.equal(code, 0)
    assert.match(stdout, /--json/)
  })
})
