import { Histogram } from './histogram.js'

/**
 * Counters under Flume's attribute names (`EventReceivedCount` is `eventReceivedCount` here and gets
 * its capital in {@link snapshot}). They begin at zero at each start of their component.
 */
export abstract class Counters {
  startTime = 0
  stopTime = 0

  /** Sets every counter to zero and notes the start, in epoch milliseconds. */
  started(nowMs: number): void {
    for (const key of Object.keys(this)) Reflect.set(this, key, 0)
    this.startTime = nowMs
  }

  stopped(nowMs: number): void {
    this.stopTime = nowMs
  }
}

export class SourceCounters extends Counters {
  eventReceivedCount = 0
  eventAcceptedCount = 0
  appendReceivedCount = 0
  appendAcceptedCount = 0
  appendBatchReceivedCount = 0
  appendBatchAcceptedCount = 0
  openConnectionCount = 0
  eventReadFail = 0
  channelWriteFail = 0
  genericProcessingFail = 0
}

export class ChannelCounters extends Counters {
  channelSize = 0
  channelCapacity = 0
  eventPutAttemptCount = 0
  eventPutSuccessCount = 0
  eventTakeAttemptCount = 0
  eventTakeSuccessCount = 0
  readonly #timeInChannel = new Histogram()

  /** How long events were in the channel when their take was committed. */
  get timeInChannel(): Histogram {
    return this.#timeInChannel
  }

  override started(nowMs: number): void {
    super.started(nowMs)
    this.#timeInChannel.reset()
  }
}

export class SinkCounters extends Counters {
  connectionCreatedCount = 0
  connectionClosedCount = 0
  connectionFailedCount = 0
  batchEmptyCount = 0
  batchUnderflowCount = 0
  batchCompleteCount = 0
  eventDrainAttemptCount = 0
  eventDrainSuccessCount = 0
  eventWriteFail = 0
  channelReadFail = 0
  readonly #eventAge = new Histogram()

  /**
   * How old events were by their `timestamp` header when they were delivered. The first event of each
   * delivery stands for the others of it.
   */
  get eventAge(): Histogram {
    return this.#eventAge
  }

  override started(nowMs: number): void {
    super.started(nowMs)
    this.#eventAge.reset()
  }
}
