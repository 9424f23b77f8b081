import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { EventBatch } from '@millrace/event'
import { type Consumer, Log, type LogOptions } from '@millrace/wal'

/** Options of a small log in a directory, with one data directory and the consumer `sinks`. */
export function logOptions(directory: string, options: Partial<LogOptions> = {}): LogOptions {
  return {
    checkpointDirectory: join(directory, 'checkpoint'),
    dataDirectories: [join(directory, 'data')],
    consumers: ['sinks'],
    segmentBytes: 65_536,
    ...options,
  }
}

export function openLog(directory: string, options: Partial<LogOptions> = {}): Promise<Log> {
  return Log.open(logOptions(directory, options))
}

/** A batch of events with the numbers [from, to) as bodies, each followed by `padding` bytes. */
export function numbered(from: number, to: number, padding = 0): EventBatch {
  const tail = '.'.repeat(padding)
  return EventBatch.of(
    Array.from({ length: to - from }, (_, index) => ({
      headers: {},
      body: `${from + index}${tail}`,
    })),
  )
}

/** Appends [from, to) in batches of `size` events, one after the other. */
export async function fill(log: Log, from: number, to: number, size = 10): Promise<void> {
  for (let at = from; at < to; at += size)
    await log.append(numbered(at, Math.min(to, at + size), 200))
}

/** The numbers of all events that a consumer can read, acknowledged if wanted. */
export async function drain(consumer: Consumer, { isDone = false } = {}): Promise<number[]> {
  const numbers: number[] = []
  for (;;) {
    const read = await consumer.read({ maxBytes: 10_000 })
    if (read.length === 0) return numbers
    for (const { firstSequence, batch } of read) {
      for (const { body } of batch) numbers.push(Number.parseInt(body.toString(), 10))
      if (isDone) await consumer.acknowledge(firstSequence, firstSequence + batch.size)
    }
  }
}

export function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index)
}

/** Paths of the segment files of a data directory, in order. */
export function segmentFiles(directory: string, data = 'data'): string[] {
  return readdirSync(join(directory, data))
    .filter((name) => name.startsWith('segment-'))
    .toSorted()
    .map((name) => join(directory, data, name))
}

/** Paths of the files that hold the segments of a log, oldest first; a free file may be among them. */
export function liveSegments(directory: string): string[] {
  const idOf = (path: string) => Number(readFileSync(path).readBigUInt64LE(32))
  return segmentFiles(directory)
    .filter((path) => idOf(path) > 0)
    .toSorted((a, b) => idOf(a) - idOf(b))
}
