import assert from 'node:assert/strict'
import { EventBatch } from '@millrace/event'

/** Events whose bodies are `from`, `from + 1`, …, with a header that says so too. */
export function numberedEvents(from: number, count: number): EventBatch {
  return EventBatch.of(
    Array.from({ length: count }, (_, i) => ({
      headers: { number: String(from + i) },
      body: String(from + i),
    })),
  )
}

/** The bodies as text, in order. */
export function bodiesOf(batch: EventBatch): string[] {
  return Array.from({ length: batch.size }, (_, i) => batch.bodyAt(i).toString())
}

/** The texts of `from`, `from + 1`, … */
export function numbers(from: number, count: number): string[] {
  return Array.from({ length: count }, (_, i) => String(from + i))
}

/** Fails unless both batches hold the same bytes. */
export function assertSameEvents(actual: EventBatch, expected: EventBatch): void {
  assert.deepEqual(bodiesOf(actual), bodiesOf(expected))
  assert.ok(actual.bytes.equals(expected.bytes), 'the encoded events differ')
}
