import type { ComponentDefinition, CreateContext, OptionShape } from '@millrace/component'
import { prefixOf } from '@millrace/component'
import { type Clock, type Logger, seededRandom, silentLogger, systemClock } from '@millrace/runtime'

/** Keys and values as a user writes them in a file, relative to the component. */
export type Settings = Readonly<Record<string, string>>

/** The counters of a kind of component, without what is not one. */
export type CounterName<C> = Exclude<keyof C, 'started' | 'stopped' | 'timeInChannel' | 'eventAge'>

/** What a made component has beside its options. All have a default that suits a test. */
export interface Surroundings {
  readonly clock?: Clock
  readonly logger?: Logger
  readonly seed?: number
}

/** What is wrong with settings. */
export interface SettingProblem {
  readonly key: string
  readonly code: string
  readonly message: string
}

export class SettingsError extends Error {
  readonly problems: readonly SettingProblem[]

  constructor(problems: readonly SettingProblem[]) {
    super(problems.map((each) => `${each.code} ${each.key}: ${each.message}`).join('\n'))
    this.name = 'SettingsError'
    this.problems = problems
  }
}

/**
 * Reads settings by a definition's options as the agent does.
 * @throws SettingsError with everything that is wrong.
 */
export function readSettings(shape: OptionShape, settings: Settings): Record<string, unknown> {
  const problems: SettingProblem[] = []
  const left = new Set(Object.keys(settings))
  const options: Record<string, unknown> = {}
  for (const [name, spec] of Object.entries(shape)) {
    const prefix = prefixOf(spec)
    const given = prefix === undefined ? settings[spec.key] : underPrefix(settings, prefix, left)
    left.delete(spec.key)
    if (given === undefined) {
      options[name] = spec.fallback
      if (spec.info.required) {
        problems.push({ key: spec.key, code: 'MILLRACE_CONFIG_MISSING', message: 'is required' })
      }
      continue
    }
    const result = spec.schema.safeParse(given)
    if (result.success) options[name] = spec.adjust ? spec.adjust(result.data) : result.data
    else {
      const message = result.error.issues.map((issue) => issue.message).join('; ')
      problems.push({ key: spec.key, code: 'MILLRACE_CONFIG_INVALID', message })
    }
  }
  for (const key of left) {
    problems.push({ key, code: 'MILLRACE_CONFIG_UNKNOWN_PROPERTY', message: 'is not known' })
  }
  if (problems.length > 0) throw new SettingsError(problems)
  return options
}

function underPrefix(
  settings: Settings,
  prefix: string,
  left: Set<string>,
): Record<string, string> | undefined {
  const keys = [...left].filter((key) => key.startsWith(prefix))
  for (const key of keys) left.delete(key)
  if (keys.length === 0) return undefined
  return Object.fromEntries(keys.map((key) => [key.slice(prefix.length), settings[key] ?? '']))
}

/** What a definition's `create` gets, but for what only some kinds get. */
export function createContext(
  definition: ComponentDefinition,
  settings: Settings,
  surroundings: Surroundings = {},
): CreateContext {
  const { clock = systemClock, logger = silentLogger, seed = 1 } = surroundings
  return {
    agent: 'a1',
    name: 'under-test',
    options: readSettings(definition.options, settings),
    logger,
    clock,
    random: seededRandom(seed),
  }
}
