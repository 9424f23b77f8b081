import { builtinComponents } from '@millrace/agent-core'
import { defineChannel } from '@millrace/component'

const { load } = builtinComponents.find(
  ({ kind, alias }) => kind === 'channel' && alias === 'memory',
)
const memory = await load()

export default defineChannel({
  ...memory,
  alias: null,
  classNames: [],
  summary: 'A memory channel that says when it is nearly full.',
  create(context) {
    const channel = memory.create(context)
    const reserve = channel.reserve.bind(channel)
    channel.reserve = (size, options) => {
      const isNearlyFull = channel.size.events + size.events > 0.9 * context.options.capacity
      if (isNearlyFull) context.logger.warn('the channel is nearly full')
      return reserve(size, options)
    }
    return channel
  },
})
