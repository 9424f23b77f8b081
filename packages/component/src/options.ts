/**
 * Options of components: one declaration per key gives the type, the default, the check, the
 * documentation and what `millrace components` prints. Keys and defaults are Flume's, as a user
 * writes them; values in code have their unit in their name (`keep-alive = 3` is `keepAliveMs: 3000`).
 *
 * A key is relative to the component: `<agent>.channels.c1.capacity` is `capacity`. Where Flume
 * gives all keys of a component a prefix, the declaration has it too: `selector.header`,
 * `processor.maxpenalty`, `sink.directory`. An interceptor's and a serializer's keys have none.
 */
import { z } from 'zod'
import {
  choice,
  type Choices,
  integer,
  INT_MAX,
  LONG_MAX,
  type OptionUnit,
  textMap,
} from './option-schemas.js'

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
  /** Where a value comes from that the component does not set itself, the system property first. */
  readonly inherits?: InheritedSetting
  /** What the reference prints as the default, where that is not what code gets when the key is absent. */
  readonly shownDefault?: string | number | boolean
}

/** A setting of the whole agent. Names in a list stand between commas. */
export interface InheritedSetting {
  /** As `-D` gives it. */
  readonly systemProperty: string
  readonly environment: string
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
  readonly unit?: OptionUnit
  readonly values?: readonly string[]
  /** A value below the documented minimum is replaced by the default, with a warning. */
  readonly adjust?: (value: T) => T
  /** The key names another component, whose own options stand under `prefix`. */
  readonly component?: NamedComponent
}

/** Another component that an option names, as `sink.serializer = text` does. */
export interface NamedComponent {
  readonly kind: 'serializer' | 'deserializer' | 'httpHandler'
  /** What its own keys begin with, dot included. */
  readonly prefix: string
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

type Sized = Numeric & { readonly unit?: 'bytes' | 'percent' }

function numeric<T extends number | undefined>(
  type: OptionType,
  key: string,
  info: Numeric & { readonly unit?: OptionUnit },
): OptionSpec<T> {
  const { default: given, min = 0, adjustBelow: below } = info
  const max = info.max ?? (type === 'int' ? INT_MAX : LONG_MAX)
  const scale = info.unit === 's' ? 1_000 : 1
  const schema = integer(below === undefined ? min : -INT_MAX, max, info.unit).transform((n) =>
    Math.min(n * scale, Number.MAX_SAFE_INTEGER),
  )
  const fallback = given === undefined ? undefined : given * scale
  return {
    key,
    type,
    info,
    default: given ?? null,
    fallback: fallback as T,
    schema: schema as unknown as z.ZodType<T>,
    ...(info.unit === undefined ? {} : { unit: info.unit }),
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

  /** A whole number of 32 bits. Default range: 0 to 2,147,483,647. */
  int<const I extends Sized>(key: string, info: I): OptionSpec<WithDefault<I, number>> {
    return numeric('int', key, info)
  },

  /**
   * A whole number of 64 bits. Code gets 2^53 - 1 for anything above it; a default up there is given
   * as text, so that its digits stay.
   */
  long<const I extends Omit<Sized, 'default'> & { default?: number | string }>(
    key: string,
    info: I,
  ): OptionSpec<WithDefault<I, number>> {
    const { default: given, ...others } = info
    const number =
      given === undefined ? undefined : Math.min(Number(given), Number.MAX_SAFE_INTEGER)
    const spec = numeric<WithDefault<I, number>>('long', key, {
      ...(others as Omit<Sized, 'default'>),
      ...(number === undefined ? {} : { default: number }),
    })
    return { ...spec, info, default: given ?? null }
  },

  /** Seconds or milliseconds in the file, always milliseconds in code. */
  duration<const I extends Numeric & { unit: 's' | 'ms' }>(
    key: string,
    info: I,
  ): OptionSpec<WithDefault<I, number>> {
    return numeric('duration', key, info)
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

  /**
   * One of a few words, compared without case and given to code as declared. `refused` words are
   * known to Flume and not taken here; `shownType` is what the reference prints as the type.
   */
  enum<const V extends string, const I extends Choices & OptionInfo & { default?: V }>(
    key: string,
    values: readonly V[],
    info: I & { readonly shownType?: 'string' },
  ): OptionSpec<WithDefault<I, V>> {
    type T = WithDefault<I, V>
    return {
      key,
      type: info.shownType ?? 'enum',
      info,
      values,
      default: info.default ?? null,
      fallback: info.default as T,
      schema: choice(values, info) as unknown as z.ZodType<T>,
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

  /**
   * Every key under a prefix: `key` ends in `.*` or `.<name>`. Code gets texts by the rest of the key.
   * `shownType` is what the reference prints as the type.
   */
  map(
    key: string,
    info: OptionInfo & { readonly shownType?: 'string' },
  ): OptionSpec<Readonly<Record<string, string>>> {
    return {
      key,
      type: info.shownType ?? 'map-prefix',
      info,
      default: null,
      fallback: {},
      schema: textMap(z.string()),
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
      schema: textMap(integer(-INT_MAX, INT_MAX)),
    }
  },

  /**
   * Names another component by alias, class name or module; what stands under `prefix` are that
   * component's own options. The agent loads and checks it; code gets the text.
   */
  component(
    key: string,
    info: OptionInfo & NamedComponent & { readonly default: string },
  ): OptionSpec<string> {
    return {
      key,
      type: 'string',
      info,
      default: info.default,
      fallback: info.default,
      schema: z.string(),
      component: { kind: info.kind, prefix: info.prefix },
    }
  },
}

/**
 * The prefix that a `prefix.*`, `prefix.<name>` or `prefix.<name>.<key>` key stands for, with its
 * dot; else undefined.
 */
export function prefixOf(spec: { readonly key: string }): string | undefined {
  const match = /^([^<*]*\.)(?:\*|<[^>]+>(?:\.<[^>]+>)*)$/.exec(spec.key)
  return match?.[1]
}
