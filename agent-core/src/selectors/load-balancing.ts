import { type ChannelSelector, defineSelector, option, type Route } from '@millrace/component'
import type { EventBatch } from '@millrace/event'
import type { Random } from '@millrace/runtime'

/** Each event goes to one channel of the source. */
export const loadBalancingSelector = defineSelector({
  alias: 'load_balancing',
  classNames: ['org.apache.flume.channel.LoadBalancingChannelSelector'],
  summary: 'Spreads the events over the channels of the source, each into one of them.',
  options: {
    policy: option.enum('selector.policy', ['ROUND_ROBIN', 'RANDOM'], {
      description: 'How the channel of an event is chosen.',
      default: 'ROUND_ROBIN',
    }),
  },
  create: ({ options, channels, random }) =>
    new LoadBalancingChannelSelector(channels, options.policy === 'RANDOM' ? random : undefined),
})

export class LoadBalancingChannelSelector implements ChannelSelector {
  readonly #channels: readonly string[]
  readonly #random: Random | undefined
  #next = 0

  /** @param random what draws a channel; without it they take turns. */
  constructor(channels: readonly string[], random: Random | undefined) {
    this.#channels = channels
    this.#random = random
  }

  route(batch: EventBatch): readonly Route[] {
    const parts = batch.partition(() => this.#choose())
    return [...parts].map(([index, part]) => ({
      batch: part,
      required: [this.#channels[index] as string],
      optional: [],
    }))
  }

  #choose(): number {
    const count = this.#channels.length
    if (this.#random) return Math.min(count - 1, Math.floor(this.#random() * count))
    const index = this.#next % count
    this.#next = index + 1
    return index
  }
}
