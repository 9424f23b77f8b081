import { defineInterceptor, option } from '@millrace/component'

export default defineInterceptor({
  alias: null,
  classNames: [],
  summary: 'Drops events whose body is too short, and says in a header how long the others are.',
  options: {
    atLeast: option.int('atLeast', { description: 'Shortest body, in bytes.', default: 1, min: 0 }),
  },
  create: ({ options: { atLeast } }) => ({
    intercept(batch) {
      const kept = batch.filter((i) => batch.bodyAt(i).length >= atLeast)
      return kept.withHeaders([{ name: 'length', value: (i) => String(kept.bodyAt(i).length) }])
    },
  }),
})
