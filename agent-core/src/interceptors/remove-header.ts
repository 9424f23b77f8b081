import { defineInterceptor, type Interceptor, option } from '@millrace/component'
import type { EventBatch } from '@millrace/event'
import type { Clock, Logger } from '@millrace/runtime'
import { JavaPattern } from '../expressions/java-pattern.js'
import { WatchedEvaluation } from '../expressions/watched-evaluation.js'
import { problemOf, withStoppedMark } from './body-pattern.js'

const wholePattern = (text: string) =>
  new JavaPattern(text, { isWhole: true, areGroupsRead: false })
const separatorOf = (text: string) => new JavaPattern(text, { areGroupsRead: false }).regExp()

/** Flume's `remove_header` interceptor. */
export const removeHeaderInterceptor = defineInterceptor({
  alias: 'remove_header',
  classNames: ['org.apache.flume.interceptor.RemoveHeaderInterceptor$Builder'],
  summary: 'Takes headers out by their name, by a list or by a regular expression.',
  options: {
    withName: option.string('withName', { description: 'A header to take out.' }),
    fromList: {
      ...option.string('fromList', {
        description: 'Headers to take out, with fromListSeparator between them.',
      }),
      // It is split when the separator is known.
      type: 'list' as const,
    },
    fromListSeparator: option.string('fromListSeparator', {
      description: 'Java regular expression for what stands between the names.',
      default: '\\s*,\\s*',
    }),
    matching: option.string('matching', {
      description: 'Java regular expression; a header whose whole name matches is taken out.',
    }),
  },
  check: ({ fromListSeparator, matching }) => [
    ...problemOf('fromListSeparator', () => separatorOf(fromListSeparator)),
    ...problemOf('matching', () => matching !== undefined && wholePattern(matching)),
  ],
  create: ({ options, name, logger, clock }) => {
    const { withName, fromList, fromListSeparator, matching } = options
    const listed = fromList?.split(separatorOf(fromListSeparator)) ?? []
    const names = new Set([...(withName === undefined ? [] : [withName]), ...listed])
    return new RemoveHeaderInterceptor({ name, names: [...names], matching }, { logger, clock })
  },
})

export interface RemoveHeaderOptions {
  readonly name: string
  readonly names: readonly string[]
  readonly matching: string | undefined
}

/** All rules apply together. Bodies are not looked at. */
export class RemoveHeaderInterceptor implements Interceptor {
  readonly #options: RemoveHeaderOptions
  readonly #expression: RegExp | undefined
  readonly #evaluation: WatchedEvaluation | undefined

  constructor(
    options: RemoveHeaderOptions,
    host: { readonly logger: Logger; readonly clock: Clock },
  ) {
    this.#options = options
    if (options.matching === undefined) return
    const pattern = wholePattern(options.matching)
    this.#expression = pattern.regExp()
    const stepBound = (length: number) => pattern.stepBound(length)
    this.#evaluation = new WatchedEvaluation({ ...host, stepBound })
  }

  get metrics(): Readonly<Record<string, number>> {
    return this.#evaluation ? { EventRegexStoppedCount: this.#evaluation.stoppedCount } : {}
  }

  intercept(batch: EventBatch): EventBatch {
    const { names, name } = this.#options
    const { matching, stopped } = this.#matching(batch)
    const edits = [...new Set([...names, ...matching])].map((each) => ({ name: each, value: null }))
    return withStoppedMark(batch, stopped, name).withHeaders(edits)
  }

  /** The names in the batch that match: each is looked at once. */
  #matching(batch: EventBatch): {
    matching: readonly string[]
    stopped: ReadonlySet<number>
  } {
    const expression = this.#expression
    const known = new Map<string, number[]>()
    if (!expression || !this.#evaluation) return { matching: [], stopped: new Set() }
    for (let i = 0; i < batch.size; i += 1) {
      for (const header of Object.keys(batch.headersAt(i))) {
        const events = known.get(header)
        if (events) events.push(i)
        else known.set(header, [i])
      }
    }
    const all = [...known.keys()]
    const matching = new Set<string>()
    const late = this.#evaluation.run({
      size: all.length,
      lengthAt: (index) => (all[index] ?? '').length,
      evaluate: (index) => {
        const header = all[index] ?? ''
        if (expression.test(header)) matching.add(header)
      },
    })
    const events = [...late].flatMap((index) => known.get(all[index] ?? '') ?? [])
    return { matching: [...matching], stopped: new Set(events) }
  }
}
