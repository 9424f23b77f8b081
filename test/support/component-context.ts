/** What a component gets from the agent, without an agent. */
import {
  type Deliver,
  type SinkStartContext,
  SinkCounters,
  SourceCounters,
  type SourceStartContext,
} from '@millrace/component'
import { EventBatch } from '@millrace/event'
import { createLogger, type Logger } from '@millrace/runtime'

export interface CollectedEvent {
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
}

/** Stands for the channels of a source: keeps what is delivered, refuses what a test wants refused. */
export class FakeChannel {
  readonly batches: EventBatch[] = []
  /** Asked before each put; a throw or a rejection refuses the batch. */
  beforePut: (batch: EventBatch, signal: AbortSignal | undefined) => void | Promise<void> = () => {}

  readonly deliver: Deliver = async (batch, signal) => {
    await this.beforePut(batch, signal)
    this.batches.push(batch)
  }

  get events(): readonly CollectedEvent[] {
    return this.batches.flatMap((batch) => eventsOf(batch))
  }

  get texts(): readonly string[] {
    return this.events.map((event) => event.text)
  }
}

export function eventsOf(batch: EventBatch): readonly CollectedEvent[] {
  return Array.from(batch.events(), (event) => ({
    headers: { ...event.headers },
    text: event.body.toString(),
  }))
}

export interface SourceContext extends SourceStartContext {
  readonly channel: FakeChannel
  readonly failures: unknown[]
}

export function sourceContext(): SourceContext {
  const channel = new FakeChannel()
  const failures: unknown[] = []
  return {
    signal: new AbortController().signal,
    deliver: channel.deliver,
    counters: new SourceCounters(),
    fail: (error) => failures.push(error),
    channel,
    failures,
  }
}

export function sinkContext({ isChannelDurable = false } = {}): SinkStartContext {
  return {
    signal: new AbortController().signal,
    counters: new SinkCounters(),
    isChannelDurable,
    fail: () => {},
  }
}

/** A signal that is never aborted. */
export const noAbort: AbortSignal = new AbortController().signal

/** A batch of events without headers. */
export function batchOf(...bodies: readonly string[]): EventBatch {
  return EventBatch.of(bodies.map((body) => ({ body })))
}

/** A logger that keeps its lines, from `trace` on. */
export function keptLogger(): { logger: Logger; lines: string[] } {
  const lines: string[] = []
  return { logger: createLogger({ level: 'trace', write: (line) => lines.push(line) }), lines }
}
