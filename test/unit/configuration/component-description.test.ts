import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { builtinComponents, describeComponents } from '@millrace/agent-core'
import { repository } from '../../support/repository.js'

type Property = [name: string, required: boolean, value: unknown, type: string]
interface Expected {
  readonly classNames: readonly string[]
  readonly properties: readonly Property[]
}

/** Facts about Flume 1.11: each component's class names and keys, with what its source says of them. */
const flume = JSON.parse(
  readFileSync(join(repository, 'test/support/configuration/flume-components.json'), 'utf8'),
) as Readonly<Record<string, Expected>>

/** Keys that Flume does not have. */
const OWN_KEYS: Readonly<Record<string, readonly Property[]>> = {
  'source avro': [
    ['truststore', false, null, 'string'],
    ['truststore-password', false, null, 'string'],
    ['truststore-type', false, 'PEM', 'string'],
    ['client-auth', false, 'none', 'enum'],
    ['client-events-per-second', false, 0, 'int'],
    ['client-bytes-per-second', false, 0, 'long'],
    ['client-connections', false, 0, 'int'],
  ],
  'source http': [['maxRequestBytes', false, 134_217_728, 'int']],
  'source TAILDIR': [['maxLineBytes', false, 134_217_728, 'int']],
  'sink avro': [
    ['keystore', false, null, 'string'],
    ['keystore-password', false, null, 'string'],
    ['keystore-type', false, 'PEM', 'string'],
    ['tls-deflate-order', false, 'v1.10', 'enum'],
    ['verify-hostname', false, true, 'bool'],
  ],
  'channel file': [
    ['byteCapacity', false, null, 'long'],
    ['maxRepeatedEvents', false, 100_000, 'int'],
    ['segmentSize', false, 67_108_864, 'int'],
    ['retention.time', false, null, 'duration'],
    ['retention.bytes', false, null, 'long'],
  ],
  'sink file_roll': [['sink.fsync', false, 'auto', 'enum']],
}

/** Keys that every component of a kind has here, and none in Flume. */
const OWN_COMMON_KEYS: Readonly<Record<string, readonly Property[]>> = {
  sink: [['deadLetterChannel', false, null, 'string']],
}

const ownKeysOf = (name: string): readonly Property[] => [
  ...(OWN_KEYS[name] ?? []),
  ...(OWN_COMMON_KEYS[name.split(' ')[0] ?? ''] ?? []),
]

const sorted = (properties: readonly Property[]) =>
  properties.toSorted(([a], [b]) => (a < b ? -1 : 1))

describe('the built-in components', () => {
  for (const [name, { classNames, properties }] of Object.entries(flume)) {
    it(`have ${name} with every key and default of Flume`, async () => {
      const described = await describeComponents(
        builtinComponents.filter(({ kind, alias }) => `${kind} ${alias}` === name),
      )
      assert.equal(described.length, 1)
      assert.deepEqual(described[0]?.classNames, classNames)
      assert.deepEqual(
        sorted(
          described[0].properties.map((each) => [
            each.name,
            each.required,
            each.default,
            each.type,
          ]),
        ),
        sorted([...properties, ...ownKeysOf(name)]),
      )
    })
  }

  it('are in the registry as they define themselves', async () => {
    for (const { kind, alias, classNames, load } of builtinComponents) {
      const definition = await load()
      assert.deepEqual(
        [definition.kind, definition.alias, definition.classNames],
        [kind, alias, classNames],
      )
    }
  })

  it('describe each key, and name each once', async () => {
    for (const { load, alias } of builtinComponents) {
      const { options, summary } = await load()
      assert.match(summary, /^[A-Z].*\.$/, alias)
      const keys = Object.values(options).map(({ key, info }) => {
        assert.ok(info.description.length > 5, `${alias} ${key}`)
        return key
      })
      assert.deepEqual(keys, [...new Set(keys)])
    }
  })
})
