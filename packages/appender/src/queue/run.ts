import { EventBatch } from '@millrace/event'
import type { Page } from './page.js'

/** Events that lie side by side in a page: what a queue holds, and what a batch is cut from. */
export class Run {
  readonly page: Page
  from: number
  to: number
  /** Events without the holes. */
  events: number
  /** Encoded bytes without the holes. */
  bytes: number
  /** When the first event of the page's stretch came, on the monotonic clock. */
  readonly bornMs: number
  /** Since when they wait to be sent: their coming, or the departure of those before them. */
  readonly waitsSinceMs: number
  /** How often it was sent. */
  attempts = 0
  /** How often a receiver refused it, or the larger batch that it is a half of. */
  refusals = 0
  /** Names of the receivers that refused it. */
  refusedBy: readonly string[] = []

  constructor(page: Page, from: number, times: { bornMs: number; waitsSinceMs: number }) {
    this.bornMs = times.bornMs
    this.waitsSinceMs = times.waitsSinceMs
    this.page = page
    this.from = from
    this.to = from
    this.events = 0
    this.bytes = 0
    page.users += 1
  }

  /** Bytes from the first to the last event, holes included. */
  get span(): number {
    return (this.page.offsets[this.to] ?? 0) - (this.page.offsets[this.from] ?? 0)
  }

  get hasHoles(): boolean {
    return this.events !== this.to - this.from
  }

  /** Sent as they are: runs without holes only. The bytes are shared, not copied. */
  batch(): EventBatch {
    const { page } = this
    return new EventBatch(page.writer.buffer, page.offsets.subarray(this.from, this.to + 1))
  }

  /** Takes the page's next event in. */
  extend(bytes: number): void {
    this.to += 1
    this.events += 1
    this.bytes += bytes
  }

  /** Number of the first event. The first is never a hole. */
  get firstSequence(): number {
    return this.page.sequenceAt(this.from)
  }

  get lastSequence(): number {
    return this.page.sequenceAt(this.to - 1)
  }

  /** Cuts the first `count` places off as a run of their own. */
  cut(count: number, nowMs: number): { head: Run; rest: Run | undefined } {
    if (count >= this.to - this.from) return { head: this, rest: undefined }
    const times = { bornMs: this.bornMs, waitsSinceMs: nowMs }
    const rest = new Run(this.page, this.from + count, times)
    for (let i = this.from + count; i < this.to; i += 1) {
      if (this.page.isHole(i)) rest.to += 1
      else rest.extend(this.page.byteLengthAt(i))
    }
    this.to = rest.from
    this.events -= rest.events
    this.bytes -= rest.bytes
    rest.attempts = this.attempts
    rest.refusals = this.refusals
    rest.refusedBy = this.refusedBy
    return { head: this, rest }
  }

  /** Takes one event out, of the middle too. */
  remove(index: number): void {
    this.events -= 1
    this.bytes -= this.page.byteLengthAt(index)
    this.page.punch(index)
    while (this.from < this.to && this.page.isHole(this.from)) this.from += 1
    while (this.to > this.from && this.page.isHole(this.to - 1)) this.to -= 1
  }
}
