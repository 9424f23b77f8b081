import { defineHttpHandler, option } from '@millrace/component'
import { EventBatch } from '@millrace/event'
import { RequestError } from '@millrace/runtime'

export default defineHttpHandler({
  alias: null,
  classNames: [],
  summary: 'Makes an event of each line of a request.',
  options: {
    atMost: option.int('atMost', { description: 'Lines of a request.', default: 10_000, min: 1 }),
  },
  create: ({ options: { atMost } }) => ({
    events({ body, query }) {
      const lines = body.toString().split('\n')
      if (lines.at(-1) === '') lines.pop()
      if (lines.length > atMost) throw new RequestError(`More than ${atMost} lines`)
      return EventBatch.of(
        lines.map((line) => ({ headers: Object.fromEntries(query), body: line })),
      )
    },
  }),
})
