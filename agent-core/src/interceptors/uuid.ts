import { randomUUID } from 'node:crypto'
import { defineInterceptor, option } from '@millrace/component'

/** Flume's UUIDInterceptor, which has only its class name there. */
export const uuidInterceptor = defineInterceptor({
  alias: 'uuid',
  classNames: ['org.apache.flume.sink.solr.morphline.UUIDInterceptor$Builder'],
  summary: 'Writes a random UUID into a header.',
  options: {
    headerName: option.string('headerName', { description: 'The header to write.', default: 'id' }),
    preserveExisting: option.bool('preserveExisting', {
      description: 'Whether an event that has the header keeps its value.',
      default: true,
    }),
    prefix: option.string('prefix', { description: 'Text in front of the UUID.', default: '' }),
  },
  create: ({ options: { headerName: name, preserveExisting, prefix } }) => ({
    intercept: (batch) =>
      batch.withHeaders([{ name, preserveExisting, value: () => prefix + randomUUID() }]),
  }),
})
