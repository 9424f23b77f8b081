import { defineSinkProcessor, type SinkHandle, type SinkProcessor } from '@millrace/component'
import { ConfigurationError } from '@millrace/runtime'

/** One sink alone; every sink outside a group works under one of these. */
export const defaultProcessor = defineSinkProcessor({
  alias: 'default',
  classNames: ['org.apache.flume.sink.DefaultSinkProcessor'],
  summary: 'Passes events to a single sink.',
  options: {},
  check(_options, { sinks }) {
    if (sinks.length === 1) return []
    return [
      {
        key: 'processor.type',
        message: `default takes one sink, and the group has ${sinks.length}`,
      },
    ]
  },
  create: ({ sinks }) => defaultSinkProcessor(sinks),
})

function defaultSinkProcessor(sinks: readonly SinkHandle[]): SinkProcessor {
  const [sink] = sinks
  if (!sink || sinks.length > 1) {
    const message = `A default sink processor takes one sink, not ${sinks.length}`
    throw new ConfigurationError('MILLRACE_CONFIG_INVALID', message)
  }
  return { process: (attempt) => attempt(sink) }
}
