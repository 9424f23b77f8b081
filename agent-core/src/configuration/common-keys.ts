/** The keys that every component of a kind has, whatever its type. */
import type { ComponentKind, OptionType } from '@millrace/component'

export interface CommonKey {
  readonly name: string
  readonly required: boolean
  readonly default: string | null
  readonly type: OptionType
  readonly description: string
}

const TYPE: CommonKey = {
  name: 'type',
  required: true,
  default: null,
  type: 'string',
  description: 'Alias, class name or module of the component.',
}

/** In the order in which a reader of a configuration meets them. */
export const COMMON_KEYS: Readonly<Record<ComponentKind, readonly CommonKey[]>> = {
  source: [
    {
      name: 'channels',
      required: true,
      default: null,
      type: 'list',
      description: 'Channels that get the events, between blanks.',
    },
    TYPE,
    {
      name: 'selector.type',
      required: false,
      default: 'replicating',
      type: 'enum',
      description: 'How events are spread over the channels.',
    },
    {
      name: 'selector.*',
      required: false,
      default: null,
      type: 'map-prefix',
      description: 'Settings of the channel selector.',
    },
    {
      name: 'interceptors',
      required: false,
      default: null,
      type: 'list',
      description: 'Names of interceptors, between blanks, in the order in which they work.',
    },
    {
      name: 'interceptors.*',
      required: false,
      default: null,
      type: 'map-prefix',
      description: 'Settings of each interceptor: `interceptors.<name>.<key>`.',
    },
  ],
  sink: [
    {
      name: 'channel',
      required: true,
      default: null,
      type: 'string',
      description: 'The one channel that the sink drains.',
    },
    TYPE,
    {
      name: 'deadLetterChannel',
      required: false,
      default: null,
      type: 'string',
      description:
        'Channel for events that the sink refuses for good. Default: that of the agent, `<agent>.deadLetterChannel`.',
    },
  ],
  channel: [TYPE],
  interceptor: [TYPE],
  selector: [
    {
      name: 'selector.type',
      required: true,
      default: 'replicating',
      type: 'string',
      description: 'Alias, class name or module of the channel selector.',
    },
  ],
  sinkProcessor: [
    {
      name: 'sinks',
      required: true,
      default: null,
      type: 'list',
      description: 'Sinks of the group, between blanks. A sink is in one group at most.',
    },
    {
      name: 'processor.type',
      required: true,
      default: 'default',
      type: 'string',
      description: 'Alias, class name or module of the sink processor.',
    },
  ],
  serializer: [],
  deserializer: [],
  httpHandler: [],
  monitor: [TYPE],
  configFilter: [TYPE],
}
