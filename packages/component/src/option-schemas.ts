/** How the text of a value is read. Messages follow the value: `"abc" is not a whole number …`. */
import { z } from 'zod'

export const INT_MAX = 2 ** 31 - 1
/** The largest value of a Java long, rounded to a double. */
export const LONG_MAX = 2 ** 63

/** The unit of a value in the file. */
export type OptionUnit = 's' | 'ms' | 'bytes' | 'percent'

const UNITS: Readonly<Record<OptionUnit, string>> = {
  s: 'seconds',
  ms: 'milliseconds',
  bytes: 'bytes',
  percent: 'percent',
}

/** A whole number as Java's `Integer.parseInt` and `Long.parseLong` read it, within a range. */
export function integer(min: number, max: number, unit?: OptionUnit): z.ZodType<number> {
  const what = `a whole number${unit === undefined ? '' : ` of ${UNITS[unit]}`}`
  const range = max >= LONG_MAX ? `${what}, ${min} or more` : `${what} from ${min} to ${max}`
  return z
    .string()
    .regex(/^[+-]?\d+$/, `is not ${range}`)
    .transform(Number)
    .refine((value) => value >= min && value <= max, `is not ${range}`)
}

/** Which words beside its own an enum knows, to refuse them by name. */
export interface Choices {
  readonly refused?: {
    readonly values: readonly string[]
    /** Whether Flume also takes the name of a class: any value with a dot in it. */
    readonly classNames?: boolean
    /** Follows the value: `"JKS" <reason>`. */
    readonly reason: string
  }
}

/** One of some words, compared without case. */
export function choice<V extends string>(
  values: readonly V[],
  { refused }: Choices,
): z.ZodType<V, string> {
  return z.string().transform((text, context) => {
    const isSame = (each: string) => each.toLowerCase() === text.toLowerCase()
    const value = values.find(isSame)
    if (value !== undefined) return value
    const isRefused =
      refused !== undefined &&
      (refused.values.some(isSame) || (refused.classNames === true && text.includes('.')))
    context.issues.push(
      isRefused
        ? {
            code: 'custom',
            message: refused.reason,
            input: text,
            params: { code: 'MILLRACE_CONFIG_UNSUPPORTED' },
          }
        : { code: 'custom', message: `is not one of ${values.join(', ')}`, input: text },
    )
    return z.NEVER
  })
}

/** Values by key. A plain `z.record` would lose a key called `__proto__`. */
export function textMap<T>(value: z.ZodType<T>): z.ZodType<Readonly<Record<string, T>>> {
  return z.custom<Record<string, string>>().transform((texts, context) => {
    const read = Object.entries(texts).map(([key, text]): [string, T] => {
      const result = value.safeParse(text)
      if (result.success) return [key, result.data]
      for (const issue of result.error.issues) {
        context.issues.push({ code: 'custom', message: issue.message, input: text, path: [key] })
      }
      return [key, z.NEVER]
    })
    return Object.fromEntries(read)
  })
}
