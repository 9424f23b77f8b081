import { defineInterceptor, type Interceptor, option, type Problem } from '@millrace/component'
import type { EventBatch } from '@millrace/event'
import { type Clock, type Logger, RateLimit } from '@millrace/runtime'
import { datePattern } from '../expressions/date-pattern.js'
import { JavaPattern } from '../expressions/java-pattern.js'
import { WatchedEvaluation } from '../expressions/watched-evaluation.js'
import { problemOf, withStoppedMark } from './body-pattern.js'

const PASS_THROUGH = [
  'DEFAULT',
  'default',
  'org.apache.flume.interceptor.RegexExtractorInterceptorPassThroughSerializer',
]
const MILLIS = ['org.apache.flume.interceptor.RegexExtractorInterceptorMillisSerializer', 'millis']
const LOG_INTERVAL_MS = 10_000

/** Flume's `regex_extractor` interceptor. */
export const regexExtractorInterceptor = defineInterceptor({
  alias: 'regex_extractor',
  classNames: ['org.apache.flume.interceptor.RegexExtractorInterceptor$Builder'],
  summary: 'Writes what the groups of a regular expression match in the body into headers.',
  options: {
    regex: option.string('regex', {
      description: 'Java regular expression with groups; the first place where it is found counts.',
      required: true,
    }),
    serializers: option.list('serializers', {
      description: 'A name for each group, in their order.',
      required: true,
    }),
    serializerSettings: option.map('serializers.*', {
      description:
        'Of each name: `name`, the header to write; `type`, DEFAULT or the class name of the serializer for times (also `millis`); `pattern`, how a time is written.',
    }),
  },
  check: ({ regex, serializers, serializerSettings }) => [
    ...problemOf('regex', () => new JavaPattern(regex)),
    ...serializers.flatMap((name) => serializerProblems(name, serializerSettings)),
    ...unknownSettings(serializers, serializerSettings),
  ],
  create: ({ options, name, logger, clock }) =>
    new RegexExtractorInterceptor(
      {
        name,
        regex: options.regex,
        groups: options.serializers.map((each) => {
          const get = (key: string) => options.serializerSettings[`${each}.${key}`]
          const pattern = MILLIS.includes(get('type') ?? '') ? (get('pattern') ?? '') : undefined
          return { header: get('name') ?? each, datePattern: pattern }
        }),
      },
      { logger, clock },
    ),
})

function serializerProblems(name: string, settings: Readonly<Record<string, string>>): Problem[] {
  const keyOf = (key: string) => `serializers.${name}.${key}`
  const type = settings[`${name}.type`] ?? 'DEFAULT'
  const problems: Problem[] = []
  if (!settings[`${name}.name`]) {
    problems.push({
      key: keyOf('name'),
      code: 'MILLRACE_CONFIG_MISSING',
      message: 'the header to write is needed',
    })
  }
  if (MILLIS.includes(type)) {
    const pattern = settings[`${name}.pattern`]
    if (!pattern) {
      problems.push({
        key: keyOf('pattern'),
        code: 'MILLRACE_CONFIG_MISSING',
        message: 'how the time is written is needed',
      })
    } else problems.push(...problemOf(keyOf('pattern'), () => datePattern(pattern, Date.now)))
  } else if (!PASS_THROUGH.includes(type)) {
    problems.push({
      key: keyOf('type'),
      code: 'MILLRACE_CONFIG_UNSUPPORTED',
      message: `${type} is neither DEFAULT nor the serializer for times`,
    })
  }
  return problems
}

function unknownSettings(
  names: readonly string[],
  settings: Readonly<Record<string, string>>,
): Problem[] {
  return Object.keys(settings).flatMap((key): Problem[] => {
    const [name = '', setting = ''] = key.split('.', 2)
    if (!names.includes(name)) {
      const message = `${name} is not in the list serializers`
      return [{ key: `serializers.${key}`, code: 'MILLRACE_CONFIG_UNKNOWN_NAME', message }]
    }
    if (['name', 'type', 'pattern'].includes(setting)) return []
    return [{ key: `serializers.${key}`, message: 'is neither name, type nor pattern' }]
  })
}

export interface RegexExtractorOptions {
  readonly name: string
  readonly regex: string
  /** For each group in its order: its header, and how it is read as a time, if it is one. */
  readonly groups: readonly {
    readonly header: string
    readonly datePattern: string | undefined
  }[]
}

interface Target {
  readonly header: string
  readonly convert: (text: string) => string | undefined
  /** By the index of the event. */
  values: (string | undefined)[]
}

/** Groups that match nothing, and times that do not fit their pattern, write no header. */
export class RegexExtractorInterceptor implements Interceptor {
  readonly #name: string
  readonly #pattern: JavaPattern
  readonly #expression: RegExp
  readonly #targets: readonly Target[]
  readonly #evaluation: WatchedEvaluation
  readonly #logger: Logger
  readonly #rateLimit: RateLimit
  #unreadCount = 0

  constructor(
    { name, regex, groups }: RegexExtractorOptions,
    host: { readonly logger: Logger; readonly clock: Clock },
  ) {
    const pattern = new JavaPattern(regex)
    this.#name = name
    this.#pattern = pattern
    this.#expression = pattern.regExp()
    this.#logger = host.logger
    this.#rateLimit = new RateLimit({ intervalMs: LOG_INTERVAL_MS, clock: host.clock })
    this.#targets = groups.slice(0, pattern.groupCount).map(({ header, datePattern: dates }) => ({
      header,
      convert: dates === undefined ? (text) => text : this.#dateReader(dates, host.clock),
      values: [],
    }))
    const stepBound = (length: number) => pattern.stepBound(length)
    this.#evaluation = new WatchedEvaluation({ ...host, stepBound })
  }

  get metrics(): Readonly<Record<string, number>> {
    return {
      EventRegexStoppedCount: this.#evaluation.stoppedCount,
      EventTimeUnreadCount: this.#unreadCount,
    }
  }

  intercept(batch: EventBatch): EventBatch {
    const targets = this.#targets
    for (const target of targets) target.values = []
    let isChanged = false
    const stopped = this.#evaluation.run({
      size: batch.size,
      lengthAt: (index) => batch.byteLengthAt(index),
      evaluate: (index) => {
        const match = this.#expression.exec(batch.bodyTextAt(index))
        if (!match) return
        isChanged = true
        targets.forEach(({ values, convert }, i) => {
          const text = this.#pattern.group(match, i + 1)
          values[index] = text === undefined ? undefined : convert(text)
        })
      },
    })
    const marked = withStoppedMark(batch, stopped, this.#name)
    if (!isChanged) return marked
    return marked.withHeaders(
      targets.map(({ header, values }) => ({ name: header, value: (index) => values[index] })),
    )
  }

  #dateReader(pattern: string, clock: Clock): (text: string) => string | undefined {
    const read = datePattern(pattern, () => clock.now())
    return (text) => {
      const ms = read(text)
      if (ms !== undefined) return String(ms)
      this.#unreadCount += 1
      if (this.#rateLimit.admit(pattern) !== undefined) {
        this.#logger.warn(
          `a time does not fit ${pattern}, its header is not written; ${this.#unreadCount} since the start`,
        )
      }
      return undefined
    }
  }
}
