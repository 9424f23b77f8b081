import { defineInterceptor, option } from '@millrace/component'

/** Writes the time at which the agent got the event. */
export const timestampInterceptor = defineInterceptor({
  alias: 'timestamp',
  classNames: ['org.apache.flume.interceptor.TimestampInterceptor$Builder'],
  summary: 'Writes the time in epoch milliseconds into a header.',
  options: {
    headerName: option.string('headerName', {
      description: 'The header to write.',
      default: 'timestamp',
    }),
    preserveExisting: option.bool('preserveExisting', {
      description: 'Whether an event that has the header keeps its value.',
      default: false,
    }),
  },
  create: ({ options: { headerName, preserveExisting }, clock }) => ({
    intercept: (batch) =>
      batch.withHeaders([{ name: headerName, value: String(clock.now()), preserveExisting }]),
  }),
})
