import { defineSinkProcessor } from '@millrace/component'

export default defineSinkProcessor({
  alias: null,
  classNames: [],
  summary: 'Asks the sinks in the order of the file, and goes on to the next when one fails.',
  options: {},
  create: ({ sinks }) => ({
    async process(attempt, signal) {
      const failures = []
      for (const sink of sinks) {
        signal.throwIfAborted()
        try {
          return await attempt(sink)
        } catch (error) {
          failures.push(error)
        }
      }
      throw failures.at(-1)
    },
  }),
})
