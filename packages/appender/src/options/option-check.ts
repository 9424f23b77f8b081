import { OptionError } from '@millrace/runtime'

/**
 * Checks one option and gives the value to use; an absent option (`undefined`) gives its default.
 * @throws OptionError that names the option.
 */
export type OptionCheck<T> = (value: unknown, name: string) => T

/** The options of one object: for each name its check. */
export type OptionGroup = Readonly<Record<string, OptionCheck<unknown>>>

/** What a group's options are after the check. */
export type OptionValues<G extends OptionGroup> = {
  readonly [K in keyof G]: ReturnType<G[K]>
}

/**
 * Checks an object of options against a group.
 * @param name the option that holds the object; empty for the outermost.
 * @throws OptionError for the first option that is unknown or has a bad value.
 */
export function checkOptions<G extends OptionGroup>(
  group: G,
  input: unknown,
  name = '',
): OptionValues<G> {
  if (!isPlainObject(input)) {
    const what = name === '' ? 'The options' : name
    throw new OptionError(`${what} must be an object, not ${kindOf(input)}`)
  }
  const known = Object.keys(group)
  for (const key of Object.keys(input)) {
    if (input[key] === undefined || known.includes(key)) continue
    throw new OptionError(`Unknown option ${join(name, key)}${suggestion(key, known)}`)
  }
  const values: Record<string, unknown> = {}
  for (const key of known) values[key] = group[key]?.(input[key], join(name, key))
  return values as OptionValues<G>
}

/**
 * Checks the options of a group that are in `input` among others.
 * @throws OptionError for the first one that has a bad value.
 */
export function pickOptions<G extends OptionGroup>(group: G, input: object): OptionValues<G> {
  const given: unknown = input
  if (typeof given !== 'object' || given === null) {
    throw new OptionError(`The options must be an object, not ${show(given)}`)
  }
  const values = Object.keys(group).map((key) => [key, Reflect.get(given, key) as unknown])
  return checkOptions(group, Object.fromEntries(values))
}

/** A whole number in [min, max]. */
export function integer(o: { default: number; min?: number; max?: number }): OptionCheck<number> {
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = o
  return (value, name) => {
    if (value === undefined) return o.default
    if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
      const range = max === Number.MAX_SAFE_INTEGER ? `from ${min}` : `from ${min} to ${max}`
      throw new OptionError(`${name} must be a whole number ${range}, not ${show(value)}`)
    }
    return value
  }
}

/** Milliseconds. The largest is what a timer of Node takes, 24.8 days. */
export function milliseconds(o: { default: number; min?: number }): OptionCheck<number> {
  return integer({ ...o, max: 2 ** 31 - 1 })
}

export function flag(o: { default: boolean }): OptionCheck<boolean> {
  return (value, name) => {
    if (value === undefined) return o.default
    if (typeof value !== 'boolean') {
      throw new OptionError(`${name} must be true or false, not ${show(value)}`)
    }
    return value
  }
}

/** A text; empty only when the default is. */
export function text<D extends string | undefined>(o: { default: D }): OptionCheck<string | D> {
  return (value, name) => {
    if (value === undefined) return o.default
    if (typeof value !== 'string' || value === '') {
      throw new OptionError(`${name} must be a text that is not empty, not ${show(value)}`)
    }
    return value
  }
}

/** One of some words. `later` are words that the documentation knows and this version does not. */
export function oneOf<const W extends string, const D extends W | undefined>(
  words: readonly W[],
  o: { default: D; later?: readonly string[] },
): OptionCheck<W | D> {
  return (value, name) => {
    if (value === undefined) return o.default
    const word = words.find((candidate) => candidate === value)
    if (word !== undefined) return word
    if (typeof value === 'string' && o.later?.includes(value)) throw notYet(name, value)
    const hint = typeof value === 'string' ? suggestion(value, words) : ''
    throw new OptionError(`${name} must be one of ${words.join(', ')}, not ${show(value)}${hint}`)
  }
}

/** An object of options; absent, each of its options has its default. */
export function group<G extends OptionGroup>(options: G): OptionCheck<OptionValues<G>> {
  return (value, name) => checkOptions(options, value === undefined ? {} : value, name)
}

/** A function, for use in the process that logs: functions cannot be passed to a worker thread. */
export function callback<F>(): OptionCheck<F | undefined> {
  return (value, name) => {
    if (value === undefined) return undefined
    if (typeof value !== 'function') {
      throw new OptionError(`${name} must be a function, not ${show(value)}`)
    }
    return value as F
  }
}

/** An option that the documentation knows and this version does not. */
export function later(): OptionCheck<undefined> {
  return (value, name) => {
    if (value !== undefined) throw notYet(name, value)
    return undefined
  }
}

/** The error for a documented value that this version does not have. */
export function notYet(name: string, value: unknown): OptionError {
  return new OptionError(`${name} = ${show(value)} is not available yet`)
}

/** A value for a message: short, and never the content of an object. */
export function show(value: unknown): string {
  if (typeof value === 'string') {
    return JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}...` : value)
  }
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'object' && value !== null) {
    const kind = Object.prototype.toString.call(value).slice(8, -1)
    return kind === 'Object' ? 'an object' : `a ${kind}`
  }
  return typeof value === 'function' ? 'a function' : String(value)
}

/** As {@link show}, for what could be a secret. */
export function kindOf(value: unknown): string {
  return typeof value === 'string' ? 'a text' : show(value)
}

/** `; did you mean …?` for a near miss, else nothing. */
export function suggestion(word: string, known: readonly string[]): string {
  const wanted = word.toLowerCase()
  let best: string | undefined
  let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 1
  for (const candidate of known) {
    const distance = editDistance(wanted, candidate.toLowerCase())
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best === undefined ? '' : `; did you mean ${best}?`
}

/** True for objects of any class of the program, also after a structured clone; false for a Map, a Date and the like. */
export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return Object.prototype.toString.call(value) === '[object Object]'
}

function join(name: string, key: string): string {
  return name === '' ? key : `${name}.${key}`
}

/** Levenshtein's distance, with one row in memory. */
function editDistance(a: string, b: string): number {
  const row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i += 1) {
    let diagonal = row[0] ?? 0
    row[0] = i
    for (let j = 1; j <= b.length; j += 1) {
      const above = row[j] ?? 0
      const cost = a[i - 1] === b[j - 1] ? 0 : 1
      row[j] = Math.min(above + 1, (row[j - 1] ?? 0) + 1, diagonal + cost)
      diagonal = above
    }
  }
  return row[b.length] ?? 0
}
