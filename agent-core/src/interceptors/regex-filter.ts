import { defineInterceptor, type Interceptor, option } from '@millrace/component'
import type { EventBatch } from '@millrace/event'
import type { Clock, Logger } from '@millrace/runtime'
import { JavaPattern } from '../expressions/java-pattern.js'
import { WatchedEvaluation } from '../expressions/watched-evaluation.js'
import { problemOf, withStoppedMark } from './body-pattern.js'

const patternOf = (regex: string) => new JavaPattern(regex, { areGroupsRead: false })

/** Flume's `regex_filter` interceptor. */
export const regexFilterInterceptor = defineInterceptor({
  alias: 'regex_filter',
  classNames: ['org.apache.flume.interceptor.RegexFilteringInterceptor$Builder'],
  summary: 'Keeps or drops events by a regular expression that is looked for in the body.',
  options: {
    regex: option.string('regex', {
      description: 'Java regular expression, looked for anywhere in the body.',
      default: '.*',
    }),
    excludeEvents: option.bool('excludeEvents', {
      description: 'Whether the events in which it is found are dropped, else the others.',
      default: false,
    }),
  },
  check: ({ regex }) => problemOf('regex', () => patternOf(regex)),
  create: ({ options, name, logger, clock }) =>
    new RegexFilterInterceptor({ ...options, name }, { logger, clock }),
})

export interface RegexFilterOptions {
  readonly name: string
  readonly regex: string
  readonly excludeEvents: boolean
}

/** An event whose evaluation takes too long is neither kept nor dropped by its body: it goes on, marked. */
export class RegexFilterInterceptor implements Interceptor {
  readonly #options: RegexFilterOptions
  readonly #expression: RegExp
  readonly #evaluation: WatchedEvaluation

  constructor(
    options: RegexFilterOptions,
    host: { readonly logger: Logger; readonly clock: Clock },
  ) {
    const pattern = patternOf(options.regex)
    this.#options = options
    this.#expression = pattern.regExp()
    const stepBound = (length: number) => pattern.stepBound(length)
    this.#evaluation = new WatchedEvaluation({ ...host, stepBound })
  }

  get metrics(): Readonly<Record<string, number>> {
    return { EventRegexStoppedCount: this.#evaluation.stoppedCount }
  }

  intercept(batch: EventBatch): EventBatch {
    const { excludeEvents, name } = this.#options
    const expression = this.#expression
    const dropped = new Uint8Array(batch.size)
    let count = 0
    const stopped = this.#evaluation.run({
      size: batch.size,
      lengthAt: (index) => batch.byteLengthAt(index),
      evaluate(index) {
        if (expression.test(batch.bodyTextAt(index)) !== excludeEvents) return
        dropped[index] = 1
        count += 1
      },
    })
    const marked = withStoppedMark(batch, stopped, name)
    return count === 0 ? marked : marked.filter((index) => dropped[index] === 0)
  }
}
