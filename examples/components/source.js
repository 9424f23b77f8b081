import { defineSource, option } from '@millrace/component'
import { EventBatch } from '@millrace/event'

export default defineSource({
  alias: null,
  classNames: [],
  summary: 'Makes an event that says which round it is, again and again.',
  options: { text: option.string('text', { description: 'Header of each.', default: 'tick' }) },
  create: ({ options }) => new ExampleSource(options.text),
})

class ExampleSource {
  #text
  #context
  #stored = 0

  constructor(text) {
    this.#text = text
  }

  async start(context) {
    this.#context = context
  }

  async process(signal) {
    const batch = EventBatch.of([{ headers: { text: this.#text }, body: String(this.#stored) }])
    await this.#context.deliver(batch, signal)
    this.#stored += 1
    this.#context.counters.eventAcceptedCount += 1
    return 'ready'
  }
}
