import { defineSelector, option } from '@millrace/component'

export default defineSelector({
  alias: null,
  classNames: [],
  summary: 'Sends events with a header to the first channel, and all others to the last one.',
  options: {
    header: option.string('selector.header', {
      description: 'Name of the header.',
      default: 'urgent',
    }),
  },
  create: ({ options: { header }, channels }) => ({
    route(batch) {
      const first = channels[0]
      const last = channels.at(-1)
      const isUrgent = (i) => batch.headerAt(i, header) !== undefined
      return [
        { batch: batch.filter(isUrgent), required: [first], optional: [] },
        { batch: batch.filter((i) => !isUrgent(i)), required: [last], optional: [] },
      ].filter((route) => route.batch.size > 0)
    },
  }),
})
