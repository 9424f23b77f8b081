import { defineSerializer, option } from '@millrace/component'

export default defineSerializer({
  alias: null,
  classNames: [],
  summary: 'Writes each event as a line of JSON.',
  options: {
    headers: option.bool('headers', { description: 'Whether headers are written.', default: true }),
  },
  create: ({ options }) => ({
    serialize(batch) {
      const lines = Array.from(batch, ({ headers, body }) => {
        const shown = options.headers ? { headers: { ...headers } } : {}
        return `${JSON.stringify({ ...shown, body: body.toString() })}\n`
      })
      return Buffer.from(lines.join(''))
    },
  }),
})
