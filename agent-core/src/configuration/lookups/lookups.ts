/**
 * What stands before the colon in `${prefix:name}`: the lookups of Flume's Commons Text. Some have to
 * wait for a file, a server or a program; those are noted at first, and known after
 * {@link Lookups.settle}.
 */
import type { ConfigFilter } from '@millrace/component'
import { messageOf } from '@millrace/runtime'
import type { FindingCode } from '../finding.js'
import { OUTSIDE_LOOKUPS, type OutsideLookup } from './outside.js'
import { TEXT_LOOKUPS } from './text.js'

/** A value, nothing by that name, or why there can be none. */
export type LookupAnswer =
  | { readonly value: string }
  | { readonly absent: string }
  | { readonly problem: string; readonly code?: FindingCode }

export interface LookupContext {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly systemProperties: Readonly<Record<string, string>>
  /** The moment of the load. */
  readonly now: Date
}

/** Why a lookup of Commons Text is not there. */
const REFUSED: ReadonlyMap<string, string> = new Map([
  ['const', 'constants of Java classes do not exist here; write the value'],
  ['resourcebundle', 'resource bundles are Java classes; use ${properties:file::key}'],
  [
    'script',
    'scripts in values are not run; use a config filter, or a configuration in JavaScript',
  ],
  ['xml', 'XPath is not supported; use ${properties:file::key} or ${file:UTF-8:path}'],
])

/** What stands in for a value that is not there yet. */
const PENDING: LookupAnswer = { value: '' }

export class Lookups {
  readonly #context: LookupContext
  readonly #filters = new Map<string, ConfigFilter>()
  readonly #known = new Map<string, LookupAnswer>()
  readonly #pending = new Map<string, () => Promise<LookupAnswer>>()

  constructor(context: LookupContext) {
    this.#context = context
  }

  addFilter(name: string, filter: ConfigFilter): void {
    this.#filters.set(name, filter)
  }

  /** Whether a prefix is one of Commons Text's, known here or not. */
  static isPrefix(prefix: string): boolean {
    return TEXT_LOOKUPS.has(prefix) || OUTSIDE_LOOKUPS.has(prefix) || REFUSED.has(prefix)
  }

  /** `${prefix:name}`. The prefix is in lower case. */
  look(prefix: string, name: string): LookupAnswer {
    const refused = REFUSED.get(prefix)
    if (refused !== undefined) return { problem: refused, code: 'MILLRACE_CONFIG_UNSUPPORTED' }
    const lookup = TEXT_LOOKUPS.get(prefix)
    if (lookup) return lookup(name, this.#context)
    const outside = OUTSIDE_LOOKUPS.get(prefix)
    if (outside) return this.#later(`${prefix}:${name}`, () => answerOf(outside, name))
    return { absent: `there is no lookup ${prefix}` }
  }

  /** `${filter['key']}`; undefined when there is no such filter. */
  filter(name: string, key: string): LookupAnswer | undefined {
    const filter = this.#filters.get(name)
    if (!filter) return undefined
    return this.#later(`${name}[${key}]`, async () => {
      const value = await filter.filter(key, new AbortController().signal)
      if (value === undefined) return { absent: `the config filter ${name} has nothing for ${key}` }
      return { value }
    })
  }

  /** Whether answers were asked for that are not there yet. */
  get isPending(): boolean {
    return this.#pending.size > 0
  }

  /** Finds out everything that was asked for. */
  async settle(): Promise<void> {
    const waiting = [...this.#pending]
    this.#pending.clear()
    await Promise.all(
      waiting.map(async ([what, find]) => {
        const answer = await find().catch((error: unknown) => ({ problem: messageOf(error) }))
        this.#known.set(what, answer)
      }),
    )
  }

  #later(what: string, find: () => Promise<LookupAnswer>): LookupAnswer {
    const known = this.#known.get(what)
    if (known) return known
    this.#pending.set(what, find)
    return PENDING
  }
}

async function answerOf(lookup: OutsideLookup, name: string): Promise<LookupAnswer> {
  const value = await lookup(name)
  return value === undefined ? { absent: 'there is no such thing' } : { value }
}
