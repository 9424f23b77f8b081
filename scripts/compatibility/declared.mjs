/** What Millrace declares of each object of Flume: a map of property names to type, default and whether it is required. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root } from '../bootstrap.mjs'

const load = (...path) => import(pathToFileURL(join(root, ...path)).href)
const core = await load('agent-core', 'dist', 'esm', 'index.js')
const { COMMON_KEYS } = await load('agent-core', 'dist', 'esm', 'configuration', 'common-keys.js')
const { createRpcClient } = await load('packages', 'rpc', 'dist', 'esm', 'index.js')

const { WITHOUT_EFFECT } = await load(
  'packages',
  'cli',
  'dist',
  'esm',
  'agent',
  'system-properties.js',
)

const documented = await core.documentComponents()
const definitions = await Promise.all(core.builtinComponents.map((each) => each.load()))

const byName = (properties) => new Map(properties.map((each) => [each.name, each]))

/** The declaration of one of Flume's objects; undefined where there is none. */
export function declarationOf(object) {
  const { kind } = object
  if (kind in COMMON_KEYS) return object.alias === '<FQCN>' ? ofModule(kind) : ofComponent(object)
  if (kind === 'tool') return ofCommand(object)
  if (kind === 'client') return ofClient(object)
  if (kind === 'keyNameConvention') return ofNames(object)
  return undefined
}

/** Keys that the named component shares with the one that names it. */
const NAMING_KEYS = { deserializer: 'deserializer', httpHandler: 'handler' }

function ofComponent({ kind, alias, classNames }) {
  const found = documented.find(
    (each) =>
      each.kind === kind &&
      ((alias !== null && each.alias === alias) ||
        each.classNames.some((name) => classNames.includes(name))),
  )
  if (!found) return undefined
  return { alias: found.alias, properties: withNamingKey(kind, byName(found.properties)) }
}

function withNamingKey(kind, properties) {
  const key = NAMING_KEYS[kind]
  if (key === undefined) return properties
  const named = [...properties].map(([name, each]) => [`${key}.${name}`, each])
  // Flume's BLOBHandler is documented without the prefix.
  const naming = { type: 'string', default: null, required: true }
  return new Map([...properties, [key, naming], ...named])
}

/** A module declares its own keys, which stand under the kind's prefix. */
const MODULE_PREFIX = {
  selector: 'selector.*',
  sinkProcessor: 'processor.*',
  deserializer: 'deserializer.*',
}

function ofModule(kind) {
  const prefix = MODULE_PREFIX[kind] ?? '*'
  const own = { name: prefix, type: 'map-prefix', default: null, required: false }
  const properties = byName([...COMMON_KEYS[kind].filter(({ name }) => name !== prefix), own])
  // Only the replicating selector need not be named.
  return { alias: null, properties: withModuleKeys(kind, properties) }
}

function withModuleKeys(kind, properties) {
  const selecting = properties.get('selector.type')
  if (kind === 'selector') properties.set('selector.type', { ...selecting, default: null })
  const key = NAMING_KEYS[kind]
  if (key) properties.set(key, { type: 'string', default: null, required: true })
  return properties
}

const COMMANDS = {
  'flume-ng': ['agent'],
  'flume-ng agent': ['agent'],
  'flume-ng avro-client': ['avro-client'],
}

/** By the help text, which the command makes of its declarations. A flag without a value is a bool. */
function ofCommand(object) {
  const words = COMMANDS[object.alias]
  if (!words) return { alias: object.alias, properties: new Map() }
  const bin = join(root, 'packages', 'cli', 'bin', 'millrace.js')
  const { stdout } = spawnSync(process.execPath, [bin, ...words, '--help'], { encoding: 'utf8' })
  const flags = new Map()
  for (const [, short, long, value] of stdout.matchAll(
    /^ {2}(?:(-\w), )?(--[a-z-]+|-\w)(?: <([^>]+)>)?/gim,
  )) {
    const isValue = value !== undefined
    for (const name of [short, long]) if (name) flags.set(name, { isValue })
  }
  const properties = new Map()
  for (const property of object.properties) {
    const [long = ''] = property.name.split(/[,<]/)
    const flag = flags.get(long)
    if (flag && flag.isValue === (property.type !== 'bool')) properties.set(property.name, property)
  }
  return { alias: object.alias, properties }
}

/** By what a client asks its properties for; defaults by the page that lists them. */
function ofClient(object) {
  if (object.alias === 'embedded-agent') return ofEmbeddedAgent()
  const read = new Set(['exclude-protocols', 'include-protocols'])
  const given = { hosts: 'h1 h2', 'client.type': object.alias, ssl: 'true' }
  const watched = new Proxy(given, {
    get: (target, key) => {
      const isHost = String(key).startsWith('hosts.')
      read.add(isHost ? 'hosts.<alias>' : key)
      return isHost ? '127.0.0.1:1' : target[key]
    },
  })
  createRpcClient(watched)
  const defaults = tableOf('rpc.md')
  const properties = new Map()
  for (const property of object.properties) {
    if (!read.has(property.name)) continue
    const { default: own = null } = defaults.get(property.name) ?? {}
    const isSame =
      own === null || String(property.default ?? '') === own || property.default === null
    properties.set(property.name, { ...property, default: isSame ? property.default : own })
  }
  return { alias: object.alias, properties }
}

/** Rows `| names | defaults | …` of a page about keys. */
function tableOf(page) {
  const text = readFileSync(join(root, 'docs', 'reference', page), 'utf8')
  const rows = new Map()
  for (const [, names = '', defaults = ''] of text.matchAll(/^\| (`[^|]*`) \| ([^|]*) \|/gm)) {
    const values = defaults.split(',').map((each) => each.replaceAll('`', '').trim())
    names.split(',').forEach((name, i) => {
      const own = values[i] ?? values[0] ?? ''
      rows.set(name.replaceAll('`', '').trim(), { default: own === '' ? null : own })
    })
  }
  return rows
}

function ofEmbeddedAgent() {
  return core.EMBEDDED_AGENT_KEYS && { alias: null, properties: byName(core.EMBEDDED_AGENT_KEYS) }
}

const HEAD = 'a1.sources = r\na1.channels = c\na1.sinks = k\n'
const BODY = `a1.sources.r.type = seq
a1.sources.r.channels = c
a1.channels.c.type = memory
a1.sinks.k.type = null
a1.sinks.k.channel = c
`
/** A configuration for each name, which must be read without a finding. */
const TRIED = {
  '<agent>.sources': HEAD + BODY,
  '<agent>.sinks': HEAD + BODY,
  '<agent>.channels': HEAD + BODY,
  '<agent>.sinkgroups': `${HEAD}${BODY}a1.sinkgroups = g\na1.sinkgroups.g.sinks = k\na1.sinkgroups.g.processor.type = default\n`,
  '<agent>.configfilters': `a1.configfilters = f\na1.configfilters.f.type = env\n${HEAD}${BODY}`,
  '${env:NAME}': `${HEAD}${BODY}a1.sources.r.batchSize = \${env:ONE}\n`,
  '${sys:NAME}': `${HEAD}${BODY}a1.sources.r.batchSize = \${sys:one}\n`,
  '${java:NAME}': `${HEAD}${BODY.replace('seq', 'exec')}a1.sources.r.command = echo \${java:version}\n`,
  '${date:PATTERN}': `${HEAD}${BODY}a1.sources.r.batchSize = \${date:yyyy}\n`,
  '${NAME}': `one = 1\n${HEAD}${BODY}a1.sources.r.batchSize = \${a1.sources.r.totalEvents}\na1.sources.r.totalEvents = 5\n`,
  '${prefix:NAME:-default}': `${HEAD}${BODY}a1.sources.r.batchSize = \${env:NONE:-7}\n`,
  '$${NAME}': `${HEAD}${BODY.replace('seq', 'exec')}a1.sources.r.command = echo $\${NAME}\n`,
  "${filter['key']}": `a1.configfilters = f\na1.configfilters.f.type = env\n${HEAD}${BODY}a1.sources.r.batchSize = \${f['ONE']}\n`,
}
const SAME_AS = {
  '<agent>.sources.<source>.<key>': '<agent>.sources',
  '<agent>.sinks.<sink>.<key>': '<agent>.sinks',
  '<agent>.channels.<channel>.<key>': '<agent>.channels',
  '<agent>.sinkgroups.<group>.<key>': '<agent>.sinkgroups',
  '<agent>.configfilters.<filter>.<key>': '<agent>.configfilters',
}

/** Names of keys and values: by reading configurations that use them, or by the keys that inherit a setting. */
async function ofNames({ alias, properties }) {
  const known = new Map()
  const inherited = inheritedSettings()
  for (const property of properties) {
    const { name } = property
    const text = TRIED[SAME_AS[name] ?? name]
    // Any name will do, the customary ones too: the configurations tried here have them.
    const isKnown =
      alias === 'example-name-prefixes' ||
      inherited.has(name) ||
      name.startsWith('flume.monitoring.') ||
      (text !== undefined && (await isRead(text)))
    if (isKnown) known.set(name, property)
    else if (name in WITHOUT_EFFECT)
      known.set(name, { ...property, noEffect: WITHOUT_EFFECT[name] })
  }
  return { alias, properties: known }
}

function inheritedSettings() {
  const specs = definitions.flatMap(({ options }) => Object.values(options))
  const settings = specs.map(({ info }) => info.inherits).filter((each) => each !== undefined)
  return new Set(
    settings.flatMap(({ systemProperty, environment }) => [systemProperty, `env:${environment}`]),
  )
}

async function isRead(text) {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-compatibility-'))
  try {
    const file = join(directory, 'a1.properties')
    writeFileSync(file, text)
    const { findings } = await core.loadConfiguration({
      file,
      agent: 'a1',
      environment: { ONE: '1' },
      systemProperties: { one: '1' },
    })
    return findings.length === 0
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
