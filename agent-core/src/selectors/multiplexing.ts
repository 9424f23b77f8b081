/** Routes events by the value of one header. */
import {
  type ChannelSelector,
  defineSelector,
  option,
  type OptionsOf,
  type Problem,
  type Route,
} from '@millrace/component'
import type { EventBatch } from '@millrace/event'

const options = {
  header: option.string('selector.header', {
    description: 'The header whose value routes the event.',
    default: 'flume.selector.header',
  }),
  defaults: option.list('selector.default', {
    description:
      'Channels for events without the header, with a blank one, or with a value that has no mapping. Without it such events are dropped.',
  }),
  mapping: option.map('selector.mapping.*', {
    description: 'The required channels for one value of the header, case-sensitive.',
  }),
  optional: option.map('selector.optional.*', {
    description: 'The optional channels for one value of the header.',
  }),
} as const

type MultiplexingOptions = OptionsOf<typeof options>

export const multiplexingSelector = defineSelector({
  alias: 'multiplexing',
  classNames: ['org.apache.flume.channel.MultiplexingChannelSelector'],
  summary: 'Routes each event by the value of one header.',
  options,
  check({ defaults, mapping, optional }, { channels }) {
    return [
      ...unknownNames('selector.default', defaults, channels),
      ...checkLists('selector.mapping', mapping, channels),
      ...checkLists('selector.optional', optional, channels),
    ]
  },
  create: ({ options }) => new MultiplexingChannelSelector(options),
})

/** Where the events with one value go. */
interface Target {
  readonly required: readonly string[]
  readonly optional: readonly string[]
}

export class MultiplexingChannelSelector implements ChannelSelector {
  readonly #header: string
  readonly #targets = new Map<string, Target>()
  readonly #default: Target

  constructor({ header, defaults, mapping, optional }: MultiplexingOptions) {
    this.#header = header
    this.#default = { required: defaults, optional: [] }
    for (const value of new Set([...Object.keys(mapping), ...Object.keys(optional)])) {
      // A value that is only listed as optional still goes to the default channels.
      const required = Object.hasOwn(mapping, value) ? names(mapping[value]) : defaults
      const listed = Object.hasOwn(optional, value) ? names(optional[value]) : []
      const others = listed.filter((name) => !required.includes(name))
      this.#targets.set(value, { required, optional: others })
    }
  }

  route(batch: EventBatch): readonly Route[] {
    const targets: Target[] = []
    for (let i = 0; i < batch.size; i += 1)
      targets.push(this.#target(batch.headerAt(i, this.#header)))
    const distinct = new Set(targets)
    if (distinct.size === 1) return [{ batch, ...(targets[0] as Target) }]
    return [
      ...byChannel(batch, targets, 'required').map(([name, part]) => ({
        batch: part,
        required: [name],
        optional: [],
      })),
      ...byChannel(batch, targets, 'optional').map(([name, part]) => ({
        batch: part,
        required: [],
        optional: [name],
      })),
    ]
  }

  #target(value: string | undefined): Target {
    if (value === undefined || value.trim() === '') return this.#default
    return this.#targets.get(value) ?? this.#default
  }
}

/** One batch for each channel, in the order of the events: one put keeps them whole. */
function byChannel(
  batch: EventBatch,
  targets: readonly Target[],
  kind: keyof Target,
): [string, EventBatch][] {
  const channels = new Set<string>()
  for (const target of new Set(targets)) for (const name of target[kind]) channels.add(name)
  return [...channels].map((name) => [
    name,
    batch.filter((index) => targets[index]?.[kind].includes(name) ?? false),
  ])
}

function names(list: string | undefined): readonly string[] {
  return [...new Set((list ?? '').split(/\s+/).filter(Boolean))]
}

function checkLists(
  key: string,
  lists: Readonly<Record<string, string>>,
  channels: readonly string[],
): Problem[] {
  return Object.entries(lists).flatMap(([value, list]) => {
    const wanted = names(list)
    if (wanted.length > 0) return unknownNames(`${key}.${value}`, wanted, channels)
    return [{ key: `${key}.${value}`, message: 'names no channel' }]
  })
}

function unknownNames(
  key: string,
  wanted: readonly string[],
  channels: readonly string[],
): Problem[] {
  return wanted
    .filter((name) => !channels.includes(name))
    .map((name) => ({
      key,
      code: 'MILLRACE_CONFIG_UNKNOWN_NAME',
      message: `${name} is not a channel of the source`,
    }))
}
