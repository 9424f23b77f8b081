import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { repository } from '../support/repository.js'

interface Judged {
  readonly name: string
  readonly state: 'works' | 'different' | 'later' | 'refused' | 'missing'
  /** Name, type and default are declared as Flume has them. */
  readonly isKnown?: boolean
  readonly isPending?: boolean
  readonly topic?: string
  readonly how?: string
}

interface Comparison {
  readonly objects: readonly {
    readonly id: string
    readonly topic?: string
    readonly isPending: boolean
    readonly properties: readonly Judged[]
  }[]
  readonly differences: readonly { readonly setting: string; readonly how: string }[]
  readonly outOfScope: readonly {
    readonly topic: string
    readonly objects?: readonly string[]
    readonly properties?: readonly string[]
    readonly state: string
    readonly why?: string
  }[]
}

function run(option: string) {
  const script = join(repository, 'scripts', 'compatibility.mjs')
  return spawnSync(process.execPath, [script, option], { encoding: 'utf8', maxBuffer: 1 << 26 })
}

const matches = (pattern: string, text: string) =>
  new RegExp(`^${pattern.replaceAll(/[.^$+?(){}|\\]/g, '\\$&').replaceAll('*', '.*')}$`).test(text)

describe('the settings of Flume 1.11', () => {
  let comparison: Comparison
  before(() => {
    const { status, stdout, stderr } = run('--json')
    assert.equal(status, 0, stderr)
    comparison = JSON.parse(stdout)
  })

  const settings = () =>
    comparison.objects.flatMap(({ id, properties }) =>
      properties.map((each) => ({ setting: `${id}: ${each.name}`, ...each })),
    )

  it('are 1,080, of 159 things', () => {
    assert.equal(comparison.objects.length, 159)
    assert.equal(settings().length, 1_080)
  })

  it('are known with the same name, type and default, or differ for a reason that is written down', () => {
    const missing = settings().filter(({ state }) => state === 'missing')
    assert.deepEqual(
      missing.map(({ setting, how }) => `${setting}: ${how}`),
      [],
    )
    const wanted = settings().filter(({ topic, isPending }) => topic === undefined && !isPending)
    const unknown = wanted.filter(({ isKnown }) => !isKnown)
    for (const { setting, state, how } of unknown) assert.ok(state === 'different' && how, setting)
    const share = 1 - unknown.length / wanted.length
    assert.ok(share >= 0.98, `${(share * 100).toFixed(1)} % of ${wanted.length} are known`)
  })

  it('are out of scope where they belong to one of these, and nowhere else', () => {
    assert.deepEqual(
      comparison.outOfScope.map(({ topic }) => topic),
      [
        'jms',
        'Twitter',
        'Kafka',
        'jdbc',
        'hdfs',
        'hive',
        'hbase',
        'Solr and morphline',
        'Elasticsearch',
        'Kite',
        'Kudu',
        'thrift and the legacy sources',
        'Scribe',
        'irc',
        'spillablememory',
        'encryption',
        'the hadoop filter',
        'ZooKeeper',
        "the Java launcher's own flags and variables",
        'flume-ng tool with FCINTEGRITYTOOL and EventValidator',
        'JMX',
        "the Java Log4j appenders' own properties",
      ],
    )
    for (const { topic, state, why } of comparison.outOfScope)
      assert.ok(state === 'later' || why, `${topic} is refused for a reason`)
  })

  it('are each meant by the decisions that name them', () => {
    const ids = comparison.objects.map(({ id }) => id)
    const names = settings().map(({ setting }) => setting)
    const { differences, outOfScope } = comparison
    const stale = [
      ...outOfScope
        .flatMap(({ objects = [] }) => objects)
        .filter((pattern) => !ids.some((id) => matches(pattern, id))),
      ...[
        ...outOfScope.flatMap(({ properties = [] }) => properties),
        ...differences.map(({ setting }) => setting),
      ].filter((pattern) => !names.some((name) => matches(pattern, name))),
    ]
    assert.deepEqual(stale, [])
  })

  it('stand in the page about compatibility as they are', () => {
    const { status, stderr } = run('--check')
    assert.equal(status, 0, stderr)
  })
})
