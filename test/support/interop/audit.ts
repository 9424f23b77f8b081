/** Compares what was stored with the senders' own records. */
import assert from 'node:assert/strict'
import type { SendRecord } from './java-peer.js'
import type { StoredEvent } from './stored-events.js'

export interface AuditOptions {
  /** How many events may be stored more than once where the client resends by itself. Default 0. */
  readonly doubles?: number
  /** Whether the first copies of the events must be in the order of sending. Default true. */
  readonly ordered?: boolean
}

export interface AuditResult {
  /** Copies beyond the first. */
  readonly doubles: number
}

/** Numbers of a sender's events in the order in which they are stored. */
export function numbersOf(name: string, stored: readonly StoredEvent[]): number[] {
  const prefix = `${name}-`
  const numbers: number[] = []
  for (const { body } of stored) {
    const text = body.toString()
    if (text.startsWith(prefix)) numbers.push(Number(text.slice(prefix.length)))
  }
  return numbers
}

/**
 * Every acknowledged event of the sender is stored; none is twice unless it was sent again; nothing is
 * stored that was not sent.
 */
export function audit(
  record: SendRecord,
  stored: readonly StoredEvent[],
  options: AuditOptions = {},
): AuditResult {
  const { doubles: allowed = 0, ordered = true } = options
  const { name, acknowledged, resent } = record
  const copies = new Map<number, number>()
  let highest = -1
  for (const number of numbersOf(name, stored)) {
    const count = copies.get(number) ?? 0
    copies.set(number, count + 1)
    if (count > 0) continue
    if (ordered)
      assert.ok(number > highest, `${name}-${number} is stored behind ${name}-${highest}`)
    highest = Math.max(highest, number)
  }
  const wasResent = (n: number) => resent.some(([first, end]) => n >= first && n < end)
  const missing = Array.from({ length: acknowledged }, (_, n) => n).filter((n) => !copies.has(n))
  assert.deepEqual(missing, [], `of ${acknowledged} acknowledged events of ${name} these are lost`)
  const doubled = [...copies].filter(([n, count]) => count > 1 && !wasResent(n))
  const extra = doubled.reduce((sum, [, count]) => sum + count - 1, 0)
  assert.ok(extra <= allowed, `${extra} events of ${name} are doubled that were sent once`)
  const unsent = [...copies.keys()].filter((n) => n >= acknowledged && !wasResent(n))
  assert.deepEqual(unsent, [], `events of ${name} that were never sent`)
  return { doubles: [...copies.values()].reduce((sum, count) => sum + count - 1, 0) }
}

/** Headers that the Java sender gives to the event with this number. */
export const sentHeaders = (number: number) => ({ n: String(number), ümlaut: 'größe' })
