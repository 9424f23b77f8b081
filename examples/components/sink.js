import { appendFile } from 'node:fs/promises'
import { defineSink, option } from '@millrace/component'

export default defineSink({
  alias: null,
  classNames: [],
  summary: 'Appends the body of each event to a file, as a line.',
  options: {
    file: option.string('file', { description: 'Where to write.', required: true }),
    batchSize: option.int('batchSize', {
      description: 'Most events at once.',
      default: 100,
      min: 1,
    }),
  },
  batchSize: ({ batchSize }) => ({ key: 'batchSize', events: batchSize }),
  create: ({ options: { file, batchSize } }) => ({
    batchSize,
    async write(batch, signal) {
      signal.throwIfAborted()
      const lines = Array.from(batch, (event) => `${event.body.toString()}\n`)
      await appendFile(file, lines.join(''), { flush: true })
    },
  }),
})
