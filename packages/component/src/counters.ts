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
}
