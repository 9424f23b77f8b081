/** File channels with what the agent gives them. */
import { join } from 'node:path'
import { type FileChannelOptions, fileChannel } from '@millrace/agent-core/internal/channels/file'
import { FileChannel } from '@millrace/agent-core/internal/channels/file-channel'
import { ChannelCounters, type Transaction } from '@millrace/component'
import type { EventBatch } from '@millrace/event'
import { type Clock, type Logger, silentLogger, systemClock } from '@millrace/runtime'
import type { Disk } from '@millrace/wal'
import { bodiesOf, component } from './agent.js'

const LIVE = new AbortController().signal
const MIB = 1024 ** 2

/** The options of a channel under a directory: small segments, no waiting, little space to keep free. */
export function fileOptions(
  directory: string,
  given: Partial<FileChannelOptions> = {},
): FileChannelOptions {
  return component('c1', fileChannel, {
    checkpointDir: join(directory, 'checkpoint'),
    dataDirs: [join(directory, 'data')],
    minimumRequiredSpace: MIB,
    segmentSize: 64 * 1024,
    keepAliveMs: 0,
    ...given,
  }).options as FileChannelOptions
}

export interface FileChannelSurroundings {
  readonly clock?: Clock
  readonly logger?: Logger
  readonly disk?: Disk
}

/** A file channel and the calls that a test makes. */
export class TestedFileChannel {
  readonly channel: FileChannel
  readonly counters = new ChannelCounters()
  readonly failures: unknown[] = []

  constructor(options: FileChannelOptions, surroundings: FileChannelSurroundings = {}) {
    this.channel = new FileChannel('c1', options, {
      clock: systemClock,
      logger: silentLogger,
      ...surroundings,
    })
  }

  start(): Promise<void> {
    const { counters, failures } = this
    return this.channel.start({ signal: LIVE, counters, fail: (error) => failures.push(error) })
  }

  async put(batch: EventBatch, wait = false): Promise<void> {
    const { size: events, retainedBytes: bytes, byteLength: encodedBytes } = batch
    const size = { events, bytes, encodedBytes }
    await (await this.channel.reserve(size, { wait, signal: LIVE })).put(batch)
  }

  /** Undefined when nothing is there. */
  take(maxEvents: number, waitMs = 0): Promise<Transaction | undefined> {
    return this.channel.take({ maxEvents, maxBytes: 64 * MIB, waitMs }, LIVE)
  }

  /** Takes and commits until nothing comes. */
  async drain(maxEvents = 100): Promise<string[]> {
    const bodies: string[] = []
    for (;;) {
      const transaction = await this.take(maxEvents)
      if (!transaction) return bodies
      bodies.push(...bodiesOf(transaction.batch))
      await transaction.commit()
    }
  }
}
