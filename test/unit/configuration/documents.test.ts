import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { formatFinding, loadConfiguration } from '@millrace/agent-core'
import { repository } from '../../support/repository.js'
import { temporaryDirectory } from '../../support/temp-directory.js'

const PROPERTIES = `port = 1
a1.sources = r1
a1.channels = c1
a1.sinks = k1
a1.sources.r1.type = avro
a1.sources.r1.port = \${port}
a1.sources.r1.bind = localhost
a1.sources.r1.channels = c1
a1.sources.r1.interceptors = i2 i1
a1.sources.r1.interceptors.i1.type = static
a1.sources.r1.interceptors.i1.key = a
a1.sources.r1.interceptors.i2.type = static
a1.channels.c1.type = memory
a1.channels.c1.capacity = 2000
a1.sinks.k1.type = file_roll
a1.sinks.k1.channel = c1
a1.sinks.k1.sink.directory = /tmp
`
const YAML = `port: 1
a1:
  sources:
    r1:
      type: avro
      port: \${port}
      bind: localhost
      channels: [c1]
      interceptors:
        i2: { type: static }
        i1: { type: static, key: a }
  channels:
    c1: { type: memory, capacity: 2000 }
  sinks:
    k1:
      type: file_roll
      channel: c1
      sink:
        directory: /tmp
    spare: { enabled: false, type: file_roll }
`
const JSON_TEXT = `{"port": 1, "a1": {
  "sources": {"r1": {"type": "avro", "port": "\${port}", "bind": "localhost", "channels": "c1",
    "interceptors": [{"name": "i2", "type": "static"}, {"name": "i1", "type": "static", "key": "a"}]}},
  "channels": {"c1": {"type": "memory", "capacity": 2000}},
  "sinks": {"k1": {"type": "file_roll", "channel": "c1", "sink.directory": "/tmp"}}
}}`
const SCRIPT = `export default () => ({
  port: 1,
  a1: {
    sources: { r1: { type: 'avro', port: '\${port}', bind: 'localhost', channels: ['c1'],
      interceptors: { i2: { type: 'static' }, i1: { type: 'static', key: 'a' } } } },
    channels: { c1: { type: 'memory', capacity: 2000 } },
    sinks: { k1: { type: 'file_roll', channel: 'c1', 'sink.directory': '/tmp' } },
  },
})`

async function loadFiles(files: Readonly<Record<string, string>>) {
  const directory = temporaryDirectory()
  const file = Object.entries(files).map(([name, text]) => {
    writeFileSync(join(directory, name), text)
    return join(directory, name)
  })
  const loaded = await loadConfiguration({ file, agent: 'a1', environment: {} })
  const findings = loaded.findings.map((each) =>
    formatFinding(each).replaceAll(`${directory}/`, '').replaceAll('MILLRACE_CONFIG_', ''),
  )
  return { ...loaded, findings }
}

/** Without the places, which differ. */
const shape = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (key, each: unknown) =>
      key === 'file' || key === 'line' || key === 'definition' ? undefined : each,
    ),
  )

describe('a configuration', () => {
  it('means the same as properties, YAML, JSON and JavaScript', async () => {
    const expected = await loadFiles({ 'a.properties': PROPERTIES })
    assert.deepEqual(expected.findings, [])
    const interceptors = expected.configuration?.sources[0]?.interceptors
    assert.deepEqual(
      interceptors?.map(({ name }) => name),
      ['i2', 'i1'],
    )
    for (const [name, text] of [
      ['a.json', JSON_TEXT],
      ['a.mjs', SCRIPT],
      ['a.yaml', YAML.replace(/ {4}spare.*\n/, '')],
      ['a.yml', YAML],
    ] as const) {
      const { configuration, findings } = await loadFiles({ [name]: text })
      assert.deepEqual(shape(configuration), shape(expected.configuration), findings.join('\n'))
      assert.ok(
        findings.every((each) => / warning UNUSED /.test(each)),
        findings.join('\n'),
      )
    }
  })

  it('has its findings on the lines of YAML and JSON', async () => {
    const slips = YAML.replace('capacity: 2000', 'capacity: many').replace(
      'port: ${port}',
      'prot: 1',
    )
    const { findings } = await loadFiles({ 'a.yaml': slips })
    assert.deepEqual(
      findings.map((each) => each.split(' ').slice(0, 4).join(' ')),
      [
        'a.yaml:1: warning UNUSED port:',
        'a.yaml:5: error MISSING a1.sources.r1.port:',
        'a.yaml:6: error UNKNOWN_PROPERTY a1.sources.r1.prot:',
        'a.yaml:13: error INVALID a1.channels.c1.capacity:',
        'a.yaml:20: warning UNUSED a1.sinks.spare.type:',
      ],
    )
    const broken = await loadFiles({ 'a.json': '{"a1": {\n  "channels": {,}\n}}' })
    assert.match(broken.findings[0] ?? '', /^a\.json:2: error INVALID a1: is not JSON: /)
    assert.match((await loadFiles({ 'a.yaml': 'a1: [' })).findings[0] ?? '', /is not YAML/)
    assert.match((await loadFiles({ 'a.mjs': 'throw new Error("oh")' })).findings[0] ?? '', /oh/)
  })

  it('keeps numbers of YAML as they are written, and follows anchors', async () => {
    const { entries } = await loadFiles({
      'a.yaml': 'base: &b {x: 007, y: 1e3, z: }\na1: {channels: {c1: {<<: *b, y: 2.50}}}\n',
    })
    assert.deepEqual(
      entries.filter(({ key }) => key.startsWith('a1')).map(({ key, value }) => [key, value]),
      [
        ['a1.channels', 'c1'],
        ['a1.channels.c1.x', '007'],
        ['a1.channels.c1.z', ''],
        ['a1.channels.c1.y', '2.50'],
      ],
    )
  })

  it('is no bomb of aliases', async () => {
    const levels = Array.from({ length: 30 }, (_, i) => `l${i + 1}: &l${i + 1} [*l${i}, *l${i}]`)
    const { findings } = await loadFiles({ 'a.yaml': `l0: &l0 x\n${levels.join('\n')}\n` })
    assert.match(findings.join('\n'), /has more than 100000 values/)
  })

  it('may stand in several files, of which a later one replaces keys of those before it', async () => {
    const { configuration, findings } = await loadFiles({
      'a.properties': PROPERTIES,
      'b.yaml': 'a1:\n  channels.c1.capacity: 3000\nport: 7\n',
      'c.properties': 'a1.sinks.k1.sink.directory = /var\na1.sinks.k1.nope = 1\n',
    })
    assert.deepEqual(
      findings.map((each) => each.split(' ').slice(0, 4).join(' ')),
      ['c.properties:2: error UNKNOWN_PROPERTY a1.sinks.k1.nope:'],
    )
    assert.equal(configuration, undefined)
    const right = await loadFiles({
      'a.properties': PROPERTIES,
      'b.yaml': 'a1:\n  channels.c1.capacity: 3000\nport: 7\n',
    })
    assert.equal(right.configuration?.channels[0]?.options['capacity'], 3000)
    assert.equal(right.configuration?.sources[0]?.options['port'], 7)
  })

  it('in JavaScript may hold components themselves, and is read anew when its file has changed', async () => {
    const directory = temporaryDirectory()
    const file = join(directory, 'agent.mjs')
    const url = (name: string) =>
      JSON.stringify(import.meta.resolve(name, `file://${repository}/package.json`))
    const text = (batchSize: number) => `
import { defineSink } from ${url('@millrace/component')}
import { defineAgent } from ${url('@millrace/agent-core')}
const mine = defineSink({ alias: null, classNames: [], summary: '', options: {},
  create: () => ({ batchSize: ${batchSize}, async write() {} }) })
export default defineAgent('a1', {
  channels: { c1: { type: 'memory' } },
  sinks: { k1: { type: mine, channel: 'c1' } },
})`
    const batchSizes: unknown[] = []
    for (const size of [5, 1234]) {
      writeFileSync(file, text(size))
      const { configuration, findings } = await loadConfiguration({ file, agent: 'a1' })
      assert.deepEqual(
        findings.filter(({ severity }) => severity === 'error'),
        [],
      )
      const create = configuration?.sinks[0]?.definition.create as unknown as () => {
        batchSize: number
      }
      batchSizes.push(create().batchSize)
    }
    assert.deepEqual(batchSizes, [5, 1234])
  })
})
