/** The keys of Flume's embedded agent, and the properties of a whole agent that they stand for. */
import { ConfigurationError } from '@millrace/runtime'

interface EmbeddedKey {
  readonly name: string
  readonly type: 'string' | 'enum' | 'list' | 'map-prefix'
  readonly default: string | null
  readonly required: boolean
}

const key = (
  name: string,
  type: EmbeddedKey['type'],
  more: Partial<EmbeddedKey> = {},
): EmbeddedKey => ({ name, type, default: null, required: false, ...more })

export const EMBEDDED_AGENT_KEYS: readonly EmbeddedKey[] = [
  key('source.type', 'string', { default: 'embedded' }),
  key('channel.type', 'enum', { required: true }),
  key('channel.*', 'map-prefix'),
  key('sinks', 'list', { required: true }),
  key('<sink>.type', 'enum', { required: true }),
  key('<sink>.*', 'map-prefix'),
  key('processor.type', 'enum', { required: true }),
  key('processor.*', 'map-prefix'),
  key('source.interceptors', 'list'),
  key('source.interceptors.*', 'map-prefix'),
]

/** What each `type` may be, as in Flume: what an application can rely on. */
const TYPES = {
  channel: ['memory', 'file'],
  sink: ['avro'],
  processor: ['default', 'failover', 'load_balance'],
}
/** Names that a sink cannot have, because keys begin with them. */
const RESERVED = ['source', 'channel', 'processor', 'sinks']

const invalid = (message: string) => new ConfigurationError('MILLRACE_CONFIG_INVALID', message)

/** Properties of an agent of that name: one source, one channel, and the sinks as one group. */
export function agentProperties(
  agent: string,
  given: Readonly<Record<string, string>>,
): Record<string, string> {
  const names = (given['sinks'] ?? '').split(/\s+/).filter((name) => name !== '')
  checkNames(names)
  checkType('source.type', given['source.type'] ?? 'embedded', ['embedded'])
  checkType('channel.type', given['channel.type'], TYPES.channel)
  checkType('processor.type', given['processor.type'], TYPES.processor)
  for (const name of names) checkType(`${name}.type`, given[`${name}.type`], TYPES.sink)
  const properties: Record<string, string> = {
    [`${agent}.sources`]: 'source',
    [`${agent}.channels`]: 'channel',
    [`${agent}.sinks`]: names.join(' '),
    [`${agent}.sinkgroups`]: 'group',
    [`${agent}.sources.source.type`]: 'embedded',
    [`${agent}.sources.source.channels`]: 'channel',
    [`${agent}.sinkgroups.group.sinks`]: names.join(' '),
  }
  for (const name of names) properties[`${agent}.sinks.${name}.channel`] = 'channel'
  for (const [name, value] of Object.entries(given)) {
    if (name === 'sinks' || name === 'source.type') continue
    properties[`${agent}.${placeOf(name, names)}`] = value
  }
  return properties
}

function placeOf(name: string, sinks: readonly string[]): string {
  const [first = '', ...rest] = name.split('.')
  if (rest.length > 0) {
    if (sinks.includes(first)) return `sinks.${name}`
    if (first === 'channel') return `channels.${name}`
    if (first === 'processor') return `sinkgroups.group.${name}`
    if (name === 'source.interceptors' || name.startsWith('source.interceptors.'))
      return `sources.${name}`
  }
  throw new ConfigurationError(
    'MILLRACE_CONFIG_UNKNOWN_PROPERTY',
    `${name} is no key of an embedded agent`,
  )
}

function checkNames(names: readonly string[]): void {
  if (names.length === 0) throw invalid('sinks names no sink')
  const bad = names.find((name) => RESERVED.includes(name) || name.includes('.'))
  if (bad !== undefined) throw invalid(`sinks: a sink cannot be called ${bad}`)
}

function checkType(name: string, type: string | undefined, allowed: readonly string[]): void {
  if (type !== undefined && allowed.includes(type.toLowerCase())) return
  throw invalid(`${name}: ${type ?? 'nothing'} is none of ${allowed.join(', ')}`)
}
