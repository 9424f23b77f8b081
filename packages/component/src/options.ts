/**
 * Options of components: one declaration per key gives the type, the default, the check, the
 * documentation and what `millrace components` prints. Keys and defaults are Flume's, as a user
 * writes them; values in code have their unit in their name (`keep-alive = 3` is `keepAliveMs: 3000`).
 */
import { z } from 'zod'

/** Type names as the component reference prints them. */
export type OptionType =
  | 'string'
  | 'int'
  | 'long'
  | 'bool'
  | 'enum'
  | 'list'
  | 'duration'
  | 'map-prefix'

/** What is said of a key beside its type. */
export interface OptionInfo {
  readonly description: string
  readonly required?: boolean
  /** Never shown in a log, a finding or a page. */
  readonly secret?: boolean
  /** Why a key that is accepted does nothing here: setting it is a warning. */
  readonly noEffect?: string
  /** Why a key that Flume knows is refused: setting it is an error. */
  readonly unsupported?: string
}

/** One declared key; `T` is what code gets. */
export interface OptionSpec<T> {
  /** The key, exactly. `prefix.*` and `prefix.<name>` stand for every key that begins with `prefix.`. */
  readonly key: string
  readonly type: OptionType
  readonly info: OptionInfo
  /** As a user would write it, in the key's unit; null when unset. */
  readonly default: string | number | boolean | null
  /** What code gets when the key is not set. */
  readonly fallback: T
  /** Reads the text of a value (of a prefix: the object of texts by the rest of their keys). */
  readonly schema: z.ZodType<T>
  readonly unit?: 's' | 'ms' | 'bytes' | 'percent'
  readonly values?: readonly string[]
  /** A value below `min` is replaced by the default with a warning, where Flume documents that. */
  readonly adjust?: (value: T) => T
  /** The key names another component, whose own options stand under `prefix`. */
  readonly component?: { readonly kind: 'serializer'; readonly prefix: string }
}

// oxlint-disable-next-line typescript/no-explicit-any -- the shape is generic over each key's type
export type OptionShape = Readonly<Record<string, OptionSpec<any>>>

/** The options that code gets. */
export type OptionsOf<S extends OptionShape> = {
  readonly [K in keyof S]: S[K] extends OptionSpec<infer T> ? T : never
}

interface Numeric extends OptionInfo {
  readonly default?: number
  readonly min?: number
  readonly max?: number
  /** Values below it are replaced by the default, as Flume documents for some keys. */
  readonly adjustBelow?: number
}

const INT_MAX = 2 ** 31 - 1
/** Java's Long.MAX_VALUE, as near as a number comes. */
const LONG_MAX = 2 ** 63

function integer(min: number, max: number): z.ZodType<number> {
  const range = `a whole number from ${min} to ${max}`
  return z
    .string()
    .regex(/^[+-]?\d+$/, `is not ${range}`)
    .transform(Number)
    .refine((value) => value >= min && value <= max, `is not ${range}`)
}

function numeric<T extends number | undefined>(
  type: OptionType,
  key: string,
  info: Numeric,
  scale: number,
): OptionSpec<T> {
  const { default: given, min = 0, max = type === 'int' ? INT_MAX : Number.MAX_SAFE_INTEGER } = info
  const below = info.adjustBelow
  const schema = integer(below === undefined ? min : -INT_MAX, max).transform((n) => n * scale)
  const fallback = given === undefined ? undefined : given * scale
  return {
    key,
    type,
    info,
    default: given ?? null,
    fallback: fallback as T,
    schema: schema as unknown as z.ZodType<T>,
    ...(below === undefined
      ? {}
      : { adjust: (value: T) => ((value ?? 0) < below * scale ? (fallback as T) : value) }),
  }
}

type WithDefault<I extends { default?: unknown; required?: boolean }, T> = I extends {
  default: {}
}
  ? T
  : I extends { required: true }
    ? T
    : T | undefined

/** Declares options. Each method names Flume's key first; the result's type is what code gets. */
export const option = {
  string<const I extends OptionInfo & { default?: string }>(key: string, info: I) {
    type T = WithDefault<I, string>
    const spec: OptionSpec<T> = {
      key,
      type: 'string',
      info,
      default: info.default ?? null,
      fallback: info.default as T,
      schema: z.string() as unknown as z.ZodType<T>,
    }
    return spec
  },

  int<const I extends Numeric>(key: string, info: I): OptionSpec<WithDefault<I, number>> {
    return numeric('int', key, info, 1)
  },

  /**
   * A 64-bit whole number. Code gets a number, which is exact up to 2^53 only; a default beyond that
   * is given as text, so that its digits stay.
   */
  long<const I extends Omit<Numeric, 'default'> & { default?: number | string }>(
    key: string,
    info: I,
  ): OptionSpec<WithDefault<I, number>> {
    const { default: given } = info
    const limits = { ...info, max: info.max ?? LONG_MAX } as Numeric
    const spec = numeric<WithDefault<I, number>>('long', key, limits, 1)
    const fallback = given === undefined ? undefined : Number(given)
    return { ...spec, info, default: given ?? null, fallback: fallback as WithDefault<I, number> }
  },

  /** Seconds or milliseconds in the file, always milliseconds in code. */
  duration<const I extends Numeric & { unit: 's' | 'ms' }>(
    key: string,
    info: I,
  ): OptionSpec<WithDefault<I, number>> {
    return {
      ...numeric<WithDefault<I, number>>('duration', key, info, info.unit === 's' ? 1_000 : 1),
      unit: info.unit,
    }
  },

  bool(key: string, info: OptionInfo & { default: boolean }): OptionSpec<boolean> {
    return {
      key,
      type: 'bool',
      info,
      default: info.default,
      fallback: info.default,
      // Java reads any text but "true" as false, which turns `ssl = yes` into no TLS; refused here.
      schema: z
        .string()
        .toLowerCase()
        .pipe(z.enum(['true', 'false'], 'is neither true nor false'))
        .transform((text) => text === 'true'),
    }
  },

  /** One of a few words, compared without case and given to code as declared. */
  enum<const V extends string, const I extends OptionInfo & { default?: V }>(
    key: string,
    values: readonly V[],
    info: I,
  ): OptionSpec<WithDefault<I, V>> {
    type T = WithDefault<I, V>
    return {
      key,
      type: 'enum',
      info,
      values,
      default: info.default ?? null,
      fallback: info.default as T,
      schema: z.string().transform((text, context) => {
        const value = values.find((each) => each.toLowerCase() === text.toLowerCase())
        if (value === undefined) {
          context.addIssue({ code: 'custom', message: `is not one of ${values.join(', ')}` })
          return z.NEVER
        }
        return value
      }) as unknown as z.ZodType<T>,
    }
  },

  /** Names between blanks (or commas). Absent is the default, or an empty list. */
  list(
    key: string,
    info: OptionInfo & { separator?: 'blank' | 'comma'; default?: string },
  ): OptionSpec<readonly string[]> {
    const separator = info.separator === 'comma' ? /\s*,\s*/ : /\s+/
    const split = (text: string) => text.trim().split(separator).filter(Boolean)
    return {
      key,
      type: 'list',
      info,
      default: info.default ?? null,
      fallback: info.default === undefined ? [] : split(info.default),
      schema: z.string().transform(split),
    }
  },

  /** Every key under a prefix: `key` ends in `.*` or `.<name>`. Code gets texts by the rest of the key. */
  map(key: string, info: OptionInfo): OptionSpec<Readonly<Record<string, string>>> {
    return {
      key,
      type: 'map-prefix',
      info,
      default: null,
      fallback: {},
      schema: z.record(z.string(), z.string()),
    }
  },

  /** As {@link option.map}, with whole numbers as values. */
  intMap(key: string, info: OptionInfo): OptionSpec<Readonly<Record<string, number>>> {
    return {
      key,
      type: 'int',
      info,
      default: null,
      fallback: {},
      schema: z.record(z.string(), integer(-INT_MAX, INT_MAX)),
    }
  },
}

/** The prefix that a `prefix.*` or `prefix.<name>` key stands for, with its dot; else undefined. */
export function prefixOf(spec: { readonly key: string }): string | undefined {
  const match = /^(.*\.)(?:\*|<[^>]+>)$/.exec(spec.key)
  return match?.[1]
}
