import { appendFileSync } from 'node:fs'
import { defineMonitor, option } from '@millrace/component'

export default defineMonitor({
  alias: null,
  classNames: [],
  summary: 'Appends the counters to a file, again and again.',
  options: {
    file: option.string('file', { description: 'Where to write.', required: true }),
    everyMs: option.duration('every', { description: 'Time between.', default: 60, unit: 's' }),
  },
  create({ options: { file, everyMs }, clock, monitored }) {
    let timer
    const report = () => {
      appendFileSync(file, `${JSON.stringify(monitored.metrics())}\n`)
      timer = clock.after(everyMs, report)
    }
    return { start: async () => report(), stop: async () => timer?.cancel() }
  },
})
