import { defineDeserializer, option } from '@millrace/component'
import { EventBatch } from '@millrace/event'

export default defineDeserializer({
  alias: null,
  classNames: [],
  summary: 'Makes an event of each so many bytes of a file.',
  options: { bytes: option.int('bytes', { description: 'Of each event.', default: 80, min: 1 }) },
  create({ options: { bytes }, input }) {
    let position = input.start
    return {
      async read(maxEvents) {
        const bodies = []
        while (bodies.length < maxEvents && position < input.size) {
          const body = Buffer.alloc(Math.min(bytes, input.size - position))
          position += await input.read(body, position)
          bodies.push({ body })
        }
        return { batch: EventBatch.of(bodies), position }
      },
    }
  },
})
