/** Compares a sender's record of acknowledged events with what the sink has stored. */
import { createReadStream, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { BODY_END } from './pipelining-sender.js'

export interface Audit {
  readonly acknowledged: number
  /** Acknowledged and not stored, as `NAME NUMBER`. */
  readonly lost: readonly string[]
  /** Copies beyond the first one. */
  readonly duplicates: number
  /** Stored, but never sent. */
  readonly invented: readonly string[]
  /** First copies that came before the first copy of a lower number of the same sender. */
  readonly outOfOrder: number
}

/** Copies of each number of one sender, and the highest number whose first copy was seen. */
interface Counts {
  copies: Uint16Array
  highest: number
}

export class StoredEvents {
  readonly #senders = new Map<string, Counts>()
  duplicates = 0
  outOfOrder = 0

  /** Reads a file of lines `NAME NUMBER PADDING.`; the last one may be cut. Gives its duplicates. */
  async read(file: string): Promise<number> {
    const before = this.duplicates
    for await (const line of createInterface({ input: createReadStream(file) })) {
      if (!line.endsWith(BODY_END)) continue
      const [name = '', number = ''] = line.split(' ', 2)
      this.#add(name, Number(number))
    }
    return this.duplicates - before
  }

  #add(name: string, number: number): void {
    const counts = this.#senders.get(name) ?? { copies: new Uint16Array(1_024), highest: -1 }
    this.#senders.set(name, counts)
    if (number >= counts.copies.length) {
      const larger = new Uint16Array(Math.max(number + 1, counts.copies.length * 2))
      larger.set(counts.copies)
      counts.copies = larger
    }
    const copies = counts.copies[number] ?? 0
    counts.copies[number] = copies + 1
    if (copies > 0) this.duplicates += 1
    else if (number < counts.highest) this.outOfOrder += 1
    counts.highest = Math.max(counts.highest, number)
  }

  copies(name: string, number: number): number {
    return this.#senders.get(name)?.copies[number] ?? 0
  }

  /** Numbers of a sender from `first` on that are stored. */
  from(name: string, first: number): number[] {
    const { copies } = this.#senders.get(name) ?? { copies: new Uint16Array(0) }
    return [...copies.subarray(first)].flatMap((count, i) => (count > 0 ? [first + i] : []))
  }
}

/** Adds up the records of all senders, which lie in one directory under the senders' names. */
export function audit(
  recordDirectory: string,
  senders: readonly { readonly name: string; readonly sent: number }[],
  stored: StoredEvents,
): Audit {
  let acknowledged = 0
  const lost: string[] = []
  const invented: string[] = []
  for (const { name, sent } of senders) {
    for (const line of readFileSync(join(recordDirectory, name), 'utf8').split('\n')) {
      if (line === '') continue
      const [first = 0, count = 0] = line.split(' ').map(Number)
      acknowledged += count
      for (let number = first; number < first + count; number += 1)
        if (stored.copies(name, number) === 0) lost.push(`${name} ${number}`)
    }
    invented.push(...stored.from(name, sent).map((number) => `${name} ${number}`))
  }
  const { duplicates, outOfOrder } = stored
  return { acknowledged, lost, duplicates, invented, outOfOrder }
}
