/** A dead-letter channel opened to take events out of it. */
import type { EventBatch } from '@millrace/event'
import { createLogger } from '@millrace/runtime'
import { inspectLog, Log, type LogPlace } from '@millrace/wal'
import { consumerOf } from '../channel/selection.js'
import { UsageError } from '../exit-code.js'
import type { Terminal } from '../terminal.js'
import { isMeant, type Letter, letterOf, type LetterOptions } from './letters.js'

/** Read at a time, in bytes. */
const READ_BYTES = 1024 ** 2

/** Dead letters that stand one behind the other and have one sink. */
export interface LetterRun {
  readonly sink: string | undefined
  readonly from: number
  readonly batch: EventBatch
}

export class OpenLetters {
  /** Events that could not be read: they are damaged. */
  get lostEvents(): number {
    return this.#log.stats().lostEvents
  }
  readonly #log: Log
  readonly #consumer: string

  private constructor(log: Log, consumer: string) {
    this.#log = log
    this.#consumer = consumer
  }

  /** @throws LogError `MILLRACE_LOG_IN_USE`, and when there is no log, which is not made then. */
  static async open(
    place: LogPlace,
    given: string | undefined,
    { stderr }: Terminal,
  ): Promise<OpenLetters> {
    const { consumers, findings, segments } = await inspectLog(place)
    const names = consumers.map(({ name }) => name)
    const consumer = consumerOf(names, given)
    const missing = findings.find(({ kind }) => kind === 'missing')
    if (missing) throw new UsageError(`${missing.path}: ${missing.message}`)
    const bytes = segments.at(-1)?.bytes
    const log = await Log.open({
      ...place,
      consumers: names,
      ...(bytes === undefined ? {} : { segmentBytes: bytes }),
      // The agent that has the channel says what is retained.
      retention: { ms: Number.POSITIVE_INFINITY },
      logger: createLogger({ level: 'warn', write: (line) => stderr.write(line) }),
    })
    return new OpenLetters(log, consumer)
  }

  /** The letters that are meant, oldest first, up to the end as it is now. */
  async *runs(options: LetterOptions): AsyncGenerator<LetterRun> {
    const consumer = this.#log.consumer(this.#consumer)
    for (;;) {
      const read = await consumer.read({ maxBytes: READ_BYTES })
      if (read.length === 0) return
      for (const { batch, firstSequence } of read) yield* runsOf(options, batch, firstSequence)
    }
  }

  /** Takes letters out; they are gone when the log is closed, at the latest. */
  async remove({ batch, from }: LetterRun): Promise<void> {
    await this.#log.consumer(this.#consumer).acknowledge(from, from + batch.size)
  }

  close(): Promise<void> {
    return this.#log.close()
  }
}

function* runsOf(
  options: LetterOptions,
  batch: EventBatch,
  firstSequence: number,
): Generator<LetterRun> {
  let begin = 0
  let sink: string | undefined
  let isOpen = false
  for (let i = 0; i <= batch.size; i += 1) {
    const letter = i < batch.size ? meantAt(options, batch, { firstSequence, index: i }) : undefined
    if (isOpen && (!letter || letter.sink !== sink)) {
      yield { sink, from: firstSequence + begin, batch: batch.slice(begin, i) }
      isOpen = false
    }
    if (!letter || isOpen) continue
    begin = i
    sink = letter.sink
    isOpen = true
  }
}

/** The letter at an index, if it is one of those that are meant. */
function meantAt(
  options: LetterOptions,
  batch: EventBatch,
  { firstSequence, index }: { readonly firstSequence: number; readonly index: number },
): Letter | undefined {
  const letter = letterOf(batch.headersAt(index))
  return letter && isMeant(options, letter, firstSequence + index) ? letter : undefined
}
