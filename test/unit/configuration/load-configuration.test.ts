import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadConfiguration } from '@millrace/agent-core'
import { load } from '../../support/configuration/loading.js'
import { temporaryDirectory } from '../../support/temp-directory.js'

const FULL = `
a1.sources = r1
a1.channels = c1 c2
a1.sinks = k1 k2
a1.sinkgroups = g1

a1.sources.r1.type = LINE_IN
a1.sources.r1.channels = c2 c1
a1.sources.r1.bind = localhost
a1.sources.r1.port = 4141
a1.sources.r1.selector.type = by_header
a1.sources.r1.selector.header = state
a1.sources.r1.selector.mapping.CZ = c1
a1.sources.r1.selector.mapping.US.CA = c1 c2
a1.sources.r1.interceptors = i2 i1
a1.sources.r1.interceptors.i1.type = stamp
a1.sources.r1.interceptors.i2.type = org.example.StampInterceptor$Builder
a1.sources.r1.interceptors.i2.header = when

a1.channels.c1.type = tank
a1.channels.c1.keep-alive = 5
a1.channels.c2.type = tank

a1.sinks.k1.type = line_out
a1.sinks.k1.channel = c1
a1.sinks.k1.sink.directory = /var/log/a
a1.sinks.k1.sink.serializer = plain
a1.sinks.k1.sink.serializer.appendNewline = FALSE
a1.sinks.k2.type = line_out
a1.sinks.k2.channel = c2
a1.sinks.k2.sink.directory = /var/log/b

a1.sinkgroups.g1.sinks = k2 k1
a1.sinkgroups.g1.processor.type = ranked
a1.sinkgroups.g1.processor.priority.k1 = 5
a1.sinkgroups.g1.processor.priority.k2 = 10
`

describe('a loaded configuration', () => {
  it('holds each component with its options, defaults and helpers, in the order of the file', async () => {
    const { configuration, findings, isAgentKnown } = await load(FULL)
    assert.deepEqual(findings, [])
    assert.equal(isAgentKnown, true)
    assert.ok(configuration)
    const [source] = configuration.sources
    assert.deepEqual([source?.type, source?.line, source?.channels], ['LINE_IN', 7, ['c2', 'c1']])
    assert.deepEqual(source?.options, {
      bind: 'localhost',
      port: 4141,
      threads: undefined,
      batchSize: 1,
      include: [],
      isLoud: false,
    })
    assert.deepEqual(source.selector.options, {
      header: 'state',
      mapping: { CZ: 'c1', 'US.CA': 'c1 c2' },
    })
    assert.deepEqual(
      source.interceptors.map(({ name, options }) => [name, options]),
      [
        ['i2', { header: 'when' }],
        ['i1', { header: 'stamp' }],
      ],
    )
    assert.deepEqual(
      configuration.channels.map(({ name, options }) => [name, options['keepAliveMs']]),
      [
        ['c1', 5_000],
        ['c2', 3_000],
      ],
    )
    assert.deepEqual(
      configuration.sinks.map(({ name, channel, serializer }) => [
        name,
        channel,
        serializer?.type,
        serializer?.options,
      ]),
      [
        ['k1', 'c1', 'plain', { appendNewline: false }],
        ['k2', 'c2', 'PLAIN', { appendNewline: true }],
      ],
    )
    const [group] = configuration.sinkGroups
    assert.deepEqual([group?.name, group?.sinks], ['g1', ['k2', 'k1']])
    assert.deepEqual(group?.processor.options, {
      priorities: { k1: 5, k2: 10 },
      maxPenaltyMs: 30_000,
    })
  })

  it('has a replicating selector and a default processor where none is named', async () => {
    const text = FULL.split('\n').filter((line) => !/selector|processor/.test(line))
    const { configuration, findings } = await load(
      text.join('\n').replace('g1.sinks = k2 k1', 'g1.sinks = k2'),
    )
    assert.deepEqual(findings, [])
    assert.equal(configuration?.sources[0]?.selector.type, 'replicating')
    assert.equal(configuration.sinkGroups[0]?.processor.type, 'default')
  })

  it('loads the definitions that the section names, and no others', async () => {
    const { testComponents } = await import('../../support/configuration/test-components.js')
    const loaded: string[] = []
    const components = testComponents.map((each) => ({
      ...each,
      load: () => {
        loaded.push(each.alias)
        return each.load()
      },
    }))
    await load(
      'a1.channels = c1\na1.channels.c1.type = tank\na1.sinks = k\na1.sinks.k.type = none_such\n' +
        'a2.sources = r\na2.sources.r.type = line_in\n',
      { components },
    )
    assert.deepEqual(loaded, ['tank'])
  })

  it('is absent, with the agent known or not, when there is nothing to run', async () => {
    for (const text of ['', 'a2.sources = r1', 'a1 = r1', 'a11.sources = r1']) {
      const { isAgentKnown, configuration } = await load(text)
      assert.deepEqual([isAgentKnown, configuration], [false, undefined], text)
    }
    const { isAgentKnown, configuration } = await load('a1.x = 1')
    assert.deepEqual([isAgentKnown, configuration], [true, undefined])
    assert.equal((await load('a1.b.sources = r', { agent: 'a1.b' })).isAgentKnown, false)
  })

  it('throws for a file that cannot be read', async () => {
    for (const file of [join(temporaryDirectory(), 'none'), temporaryDirectory()]) {
      await assert.rejects(loadConfiguration({ file, agent: 'a1' }), {
        code: 'MILLRACE_CONFIG_UNREADABLE',
        message: new RegExp(file),
      })
    }
  })
})

const SINK = `{
  kind: 'sink', alias: null, classNames: [], summary: 'A sink.', options: {},
  create: () => ({ batchSize: 1, write: async () => {} }),
}`

describe('a type that names a module', () => {
  const withType = (type: string, options: { directory: string; confDirectory?: string }) =>
    load(
      `a1.sources = r1\na1.channels = c1\na1.sinks = k1\na1.channels.c1.type = tank
a1.sources.r1.type = line_in\na1.sources.r1.bind = x\na1.sources.r1.port = 1
a1.sources.r1.channels = c1\na1.sinks.k1.channel = c1\na1.sinks.k1.type = ${type}`,
      options,
    )

  function directoryWith(files: Readonly<Record<string, string>>): string {
    const directory = temporaryDirectory()
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(join(directory, name, '..'), { recursive: true })
      writeFileSync(join(directory, name), text)
    }
    return directory
  }

  it('takes the default export, else the only one of the kind', async () => {
    const directory = directoryWith({
      'default.mjs': `export default ${SINK}\nexport const other = ${SINK}`,
      'named.mjs': `export const x = 1\nexport const mySink = ${SINK}`,
      'old.cjs': `module.exports = ${SINK}`,
    })
    for (const type of ['./default.mjs', './named.mjs', 'named.mjs', './old.cjs']) {
      const { configuration, findings } = await withType(type, { directory })
      assert.deepEqual(findings, [])
      assert.equal(configuration?.sinks[0]?.definition.summary, 'A sink.', type)
    }
  })

  it('is looked for beside the file, then in the --conf directory', async () => {
    const directory = directoryWith({ 'sinks/both.mjs': `export default ${SINK}` })
    const confDirectory = directoryWith({
      'sinks/both.mjs': 'throw new Error("the wrong one")',
      'only.mjs': `export default ${SINK}`,
    })
    for (const type of ['sinks/both.mjs', './sinks/both.mjs', './only.mjs']) {
      const { findings } = await withType(type, { directory, confDirectory })
      assert.deepEqual(findings, [], type)
    }
  })

  it('may be an installed package, of either module system', async () => {
    const directory = directoryWith({
      'node_modules/@acme/sink/package.json':
        '{ "name": "@acme/sink", "type": "module", "exports": { "import": "./sink.js" } }',
      'node_modules/@acme/sink/sink.js': `export default ${SINK}`,
      'node_modules/old-sink/package.json': '{ "name": "old-sink", "main": "sink" }',
      'node_modules/old-sink/sink.js': `module.exports = ${SINK}`,
    })
    for (const type of ['@acme/sink', 'old-sink']) {
      assert.deepEqual((await withType(type, { directory })).findings, [], type)
    }
  })

  it('is unknown when it cannot be found or loaded, or is of another kind', async () => {
    const directory = directoryWith({
      'broken.mjs': 'throw new Error("broken at load")',
      'syntax.mjs': 'export default {',
      'source.mjs': `export default ${SINK.replace("'sink'", "'source'")}`,
      'nothing.mjs': 'export const x = 1',
      'two.mjs': `export const a = ${SINK}\nexport const b = ${SINK}`,
    })
    const cases: readonly [string, RegExp][] = [
      ['./none.mjs', /can be found/],
      ['./broken.mjs', /broken at load/],
      ['./syntax.mjs', /could not be loaded/],
      ['./source.mjs', /exports source; a sink is needed/],
      ['./nothing.mjs', /exports no component definition/],
      ['./two.mjs', /several/],
      ['fs', /can be found/],
      ['data:text/javascript,1', /can be found/],
      ['com.acme.Sink', /can be found/],
      ['..', /can be found/],
    ]
    for (const [type, message] of cases) {
      const { findings } = await withType(type, { directory })
      const [finding] = findings
      assert.equal(finding?.code, 'MILLRACE_CONFIG_UNKNOWN_TYPE', type)
      assert.equal(finding.line, 10)
      assert.match(finding.message, message)
    }
  })
})
