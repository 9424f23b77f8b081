import type { Clock } from '@millrace/runtime'

const MONTHS = 'JanFebMarAprMayJunJulAugSepOctNovDec'
const ISO = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})?$/
/** How long, in milliseconds, the year of a time without one stays as it was found. */
const YEAR_KEPT_MS = 60_000

/** Times in syslog messages. A message's time is that of the one before it, most of the time. */
export class SyslogTime {
  readonly #clock: Clock
  readonly #isUtc: boolean
  #text = ''
  #ms: number | undefined
  #readMs = Number.NEGATIVE_INFINITY

  /** @param options `isUtc`: times without a zone are UTC; else they are local. */
  constructor(clock: Clock, options: { readonly isUtc: boolean }) {
    this.#clock = clock
    this.#isUtc = options.isUtc
  }

  /** A time of RFC 5424 in epoch milliseconds. */
  rfc5424(text: string): number | undefined {
    if (text === this.#text) return this.#ms
    return this.#keep(text, this.#parse5424(text))
  }

  /** A time of RFC 3164, `Nov 24 12:00:00`: the year is the one that brings it nearest to now. */
  rfc3164(text: string): number | undefined {
    const now = this.#clock.now()
    if (text === this.#text && now - this.#readMs < YEAR_KEPT_MS) return this.#ms
    return this.#keep(text, this.#parse3164(text, now))
  }

  #keep(text: string, ms: number | undefined): number | undefined {
    this.#text = text
    this.#ms = ms
    this.#readMs = this.#clock.now()
    return ms
  }

  #parse5424(text: string): number | undefined {
    if (!ISO.test(text)) return undefined
    const hasZone = /(?:Z|[+-]\d{2}:\d{2})$/.test(text)
    const ms = Date.parse(hasZone || !this.#isUtc ? text : `${text}Z`)
    return Number.isNaN(ms) ? undefined : ms
  }

  #parse3164(text: string, now: number): number | undefined {
    const parts = /^([A-Z][a-z]{2}) {1,2}(\d{1,2}) (\d{2}):(\d{2}):(\d{2})$/.exec(text)
    const month = MONTHS.indexOf(parts?.[1] ?? '?') / 3
    if (!parts || !Number.isInteger(month) || month < 0) return undefined
    const numbers = parts.slice(2).map(Number)
    const at = (year: number) => this.#at(year, month, numbers)
    const year = new Date(now).getUTCFullYear()
    if (at(year) > addMonths(now, 1)) return at(year - 1)
    return at(year) < addMonths(now, -11) ? at(year + 1) : at(year)
  }

  #at(year: number, month: number, [day = 1, hour = 0, minute = 0, second = 0]: number[]): number {
    return this.#isUtc
      ? Date.UTC(year, month, day, hour, minute, second)
      : new Date(year, month, day, hour, minute, second).getTime()
  }
}

function addMonths(ms: number, months: number): number {
  const date = new Date(ms)
  date.setUTCMonth(date.getUTCMonth() + months)
  return date.getTime()
}
