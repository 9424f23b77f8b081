import { type ChannelSelector, defineSelector, option, type Route } from '@millrace/component'
import type { EventBatch } from '@millrace/event'

/** Every event goes to every channel of the source. */
export const replicatingSelector = defineSelector({
  alias: 'replicating',
  classNames: ['org.apache.flume.channel.ReplicatingChannelSelector'],
  summary: 'Copies each event to every channel of the source.',
  options: {
    optional: option.list('selector.optional', {
      description: 'Channels whose failures the source does not see.',
    }),
  },
  check({ optional }, { channels }) {
    return optional
      .filter((name) => !channels.includes(name))
      .map((name) => ({
        key: 'selector.optional',
        code: 'MILLRACE_CONFIG_UNKNOWN_NAME' as const,
        message: `${name} is not a channel of the source`,
      }))
  },
  create: ({ options, channels }) => new ReplicatingChannelSelector(channels, options.optional),
})

export class ReplicatingChannelSelector implements ChannelSelector {
  readonly #required: readonly string[]
  readonly #optional: readonly string[]

  constructor(channels: readonly string[], optional: readonly string[]) {
    this.#required = channels.filter((name) => !optional.includes(name))
    this.#optional = channels.filter((name) => optional.includes(name))
  }

  route(batch: EventBatch): readonly Route[] {
    return [{ batch, required: this.#required, optional: this.#optional }]
  }
}
