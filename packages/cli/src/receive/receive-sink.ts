import { defineSink, type Sink, type SinkStartContext } from '@millrace/component'
import type { EventBatch } from '@millrace/event'
import type { Clock, Logger, Timer } from '@millrace/runtime'
import type { LineOutput } from '../terminal.js'
import { eventJson } from './event-json.js'
import type { EventStore } from './event-store.js'
import { type Colours, formatEvent } from './event-text.js'
import { viewEvent } from './event-view.js'

/** How often files that have become too old are looked for, in milliseconds. */
const PRUNE_INTERVAL_MS = 60 * 60 * 1_000

export interface ReceiveSinkOptions {
  readonly store: EventStore
  readonly output: LineOutput
  /** One line of JSON for each event instead of text. */
  readonly json: boolean
  readonly showHeaders: boolean
  readonly colours: Colours
  readonly clock: Clock
  readonly logger: Logger
}

/** Keeps each event in a file, then shows it. What is shown is kept. */
export class ReceiveSink implements Sink {
  readonly batchSize = 500
  readonly #options: ReceiveSinkOptions
  #timer: Timer | undefined
  #eventCount = 0
  #syncs = false

  constructor(options: ReceiveSinkOptions) {
    this.#options = options
  }

  /** Events kept since the start. */
  get eventCount(): number {
    return this.#eventCount
  }

  async start({ isChannelDurable }: SinkStartContext): Promise<void> {
    this.#syncs = isChannelDurable
    await this.#options.store.open()
    this.#schedulePrune()
  }

  async write(batch: EventBatch, signal: AbortSignal): Promise<void> {
    const { store, output, json, clock } = this.#options
    const nowMs = clock.now()
    const lines: string[] = []
    for (const event of batch) lines.push(eventJson(event, nowMs))
    await store.append(lines, { sync: this.#syncs })
    this.#eventCount += batch.size
    await output.writeAll(json ? lines.join('') : this.#text(batch, nowMs), signal)
  }

  async stop(): Promise<void> {
    this.#timer?.cancel()
    await this.#options.store.close()
  }

  #text(batch: EventBatch, nowMs: number): string {
    const { colours, showHeaders } = this.#options
    let text = ''
    for (const event of batch)
      text += formatEvent(viewEvent(event, nowMs), { colours, showHeaders, nowMs })
    return text
  }

  #schedulePrune(): void {
    const { clock, store, logger } = this.#options
    const prune = () => {
      store
        .prune()
        .catch((error: unknown) => logger.warn('Old files could not be removed', error))
        .finally(() => this.#schedulePrune())
    }
    this.#timer?.cancel()
    this.#timer = clock.after(PRUNE_INTERVAL_MS, prune, { ref: false })
  }
}

/** The definition under which the agent runs a given sink. */
export function receiveSinkDefinition(sink: ReceiveSink) {
  return defineSink({
    alias: null,
    classNames: [],
    summary: 'Shows events on the terminal and keeps them in files.',
    options: {},
    create: () => sink,
  })
}
