import { defineInterceptor, option } from '@millrace/component'

/** Writes one constant header. */
export const staticInterceptor = defineInterceptor({
  alias: 'static',
  classNames: ['org.apache.flume.interceptor.StaticInterceptor$Builder'],
  summary: 'Writes one constant header.',
  options: {
    preserveExisting: option.bool('preserveExisting', {
      description: 'Whether an event that has the header keeps its value.',
      default: true,
    }),
    key: option.string('key', { description: 'The header to write.', default: 'key' }),
    value: option.string('value', { description: 'The value to write.', default: 'value' }),
  },
  create({ options: { key, value, preserveExisting } }) {
    const edits = [{ name: key, value, preserveExisting }]
    return { intercept: (batch) => batch.withHeaders(edits) }
  },
})
