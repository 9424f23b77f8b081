/** Checks a component's settings against the options that it declares. */
import {
  type NamedComponent,
  type OptionShape,
  type OptionSpec,
  prefixOf,
} from '@millrace/component'
import type { Setting, Settings } from './agent-section.js'
import { type FindingList, quote } from './finding.js'
import { closest, closestKey } from './suggestion.js'

export interface OptionReaderOptions {
  /** What the component is called in a sentence: `avro source`. */
  readonly noun: string
  /** Where a missing key is reported. */
  readonly line: number
  /** Keys that belong to the component beside its options, for suggestions. */
  readonly commonKeys: readonly string[]
  readonly isLenient: boolean
  /** Settings of the whole agent, which some options inherit. */
  readonly surroundings?: Surroundings | undefined
}

export interface Surroundings {
  readonly systemProperties: Readonly<Record<string, string>>
  readonly environment: Readonly<Record<string, string | undefined>>
}

type Spec = OptionSpec<unknown>

/** Options as the shape gives them. With errors the fallbacks stand in, and nobody uses them. */
export function readOptions(
  shape: OptionShape,
  settings: Settings,
  findings: FindingList,
  options: OptionReaderOptions,
): Record<string, unknown> {
  return new OptionReader(settings, findings, options).read(shape)
}

class OptionReader {
  readonly #settings: Settings
  readonly #findings: FindingList
  readonly #options: OptionReaderOptions

  constructor(settings: Settings, findings: FindingList, options: OptionReaderOptions) {
    this.#settings = settings
    this.#findings = findings
    this.#options = options
  }

  read(shape: OptionShape): Record<string, unknown> {
    const specs = Object.values(shape)
    const claims = this.#claim(specs)
    for (const [key, setting] of this.#settings.byKey) {
      if (![...claims.values()].some((claimed) => claimed.has(key))) {
        this.#reportUnknown(key, setting, specs)
      }
    }
    return Object.fromEntries(
      Object.entries(shape).map(([name, spec]) => [
        name,
        prefixOf(spec) === undefined
          ? this.#readOne(spec)
          : this.#readPrefix(spec, claims.get(spec) ?? new Map<string, Setting>()),
      ]),
    )
  }

  /** Which settings each option takes: an exact key first, then the longest prefix. */
  #claim(specs: readonly Spec[]): Map<Spec, Map<string, Setting>> {
    const claims = new Map(specs.map((spec) => [spec, new Map<string, Setting>()]))
    const exact = new Map(specs.map((spec) => [spec.key, spec]))
    const prefixes = specs
      .map((spec) => ({ spec, prefix: prefixOf(spec) ?? '' }))
      .filter(({ prefix }) => prefix !== '')
      .sort((a, b) => b.prefix.length - a.prefix.length)
    for (const [key, setting] of this.#settings.byKey) {
      const named = exact.get(key)
      const prefixed = named
        ? undefined
        : prefixes.find(({ prefix }) => key.startsWith(prefix) && key.length > prefix.length)
      if (prefixed && isTypo(key, prefixed, [...exact.keys()])) continue
      const spec = named ?? prefixed?.spec
      if (spec) claims.get(spec)?.set(key, setting)
    }
    return claims
  }

  #readOne(spec: Spec): unknown {
    const setting = this.#settings.get(spec.key)
    if (setting === undefined) {
      const inherited = this.#inherited(spec)
      if (inherited !== undefined) return inherited
      if (spec.info.required === true) {
        this.#findings.error(
          'MILLRACE_CONFIG_MISSING',
          { key: this.#settings.prefix + spec.key, line: this.#options.line },
          `the ${this.#options.noun} needs this key: ${spec.info.description}`,
        )
      }
      return spec.fallback
    }
    if (!this.#isTaken(spec, setting)) return spec.fallback
    const result = spec.schema.safeParse(setting.value)
    if (result.success) return this.#adjust(spec, setting, result.data)
    const [issue] = result.error.issues
    this.#reportValue(spec, setting, issue)
    return spec.fallback
  }

  /** The value of a setting of the whole agent; undefined where there is none. */
  #inherited(spec: Spec): unknown {
    const { surroundings, line } = this.#options
    const names = spec.info.inherits
    if (names === undefined || surroundings === undefined) return undefined
    const { systemProperties, environment } = surroundings
    const [name, text] = systemProperties[names.systemProperty]
      ? [names.systemProperty, systemProperties[names.systemProperty]]
      : [names.environment, environment[names.environment]]
    if (!text) return undefined
    const result = spec.schema.safeParse(spec.type === 'list' ? text.replaceAll(',', ' ') : text)
    if (result.success) return result.data
    const shown = spec.info.secret === true ? 'the value' : quote(text)
    this.#findings.error(
      'MILLRACE_CONFIG_INVALID',
      { key: this.#settings.prefix + spec.key, line },
      `${shown} of ${name} ${result.error.issues[0]?.message ?? 'is not valid'}`,
    )
    return spec.fallback
  }

  #readPrefix(spec: Spec, claimed: ReadonlyMap<string, Setting>): unknown {
    const length = (prefixOf(spec) ?? '').length
    const taken = new Map(
      [...claimed]
        .filter(([, setting]) => this.#isTaken(spec, setting))
        .map(([key, setting]) => [key.slice(length), setting]),
    )
    if (taken.size === 0) return spec.fallback
    const texts = Object.fromEntries([...taken].map(([key, { value }]) => [key, value]))
    const result = spec.schema.safeParse(texts)
    if (result.success) return result.data
    for (const issue of result.error.issues) {
      const setting = taken.get(String(issue.path[0]))
      if (setting) this.#reportValue(spec, setting, issue)
    }
    return spec.fallback
  }

  /** Whether a setting's value is to be read at all; tells why not. */
  #isTaken(spec: Spec, setting: Setting): boolean {
    const { noEffect, unsupported, required } = spec.info
    if (unsupported !== undefined) {
      this.#findings.error('MILLRACE_CONFIG_UNSUPPORTED', setting, unsupported)
      return false
    }
    if (!setting.isUsable) return false
    if (setting.value === '') {
      if (required === true) {
        this.#findings.error('MILLRACE_CONFIG_INVALID', setting, 'is empty; a value is needed')
      } else {
        this.#findings.warning(
          'MILLRACE_CONFIG_NO_EFFECT',
          setting,
          'is empty and counts as not set',
        )
      }
      return false
    }
    if (noEffect !== undefined) {
      this.#findings.warning('MILLRACE_CONFIG_NO_EFFECT', setting, `has no effect: ${noEffect}`)
    }
    return true
  }

  #adjust(spec: Spec, setting: Setting, value: unknown): unknown {
    const adjusted: unknown = spec.adjust ? spec.adjust(value) : value
    if (adjusted !== value) {
      this.#findings.warning(
        'MILLRACE_CONFIG_ADJUSTED',
        setting,
        `${quote(setting.value)} is below the least value; ${String(spec.default)} is used, as in Flume`,
      )
    }
    return adjusted
  }

  #reportValue(
    spec: Spec,
    setting: Setting,
    issue: { readonly message: string; readonly params?: unknown } | undefined,
  ): void {
    const shown = spec.info.secret === true ? 'the value' : quote(setting.value)
    const params = issue?.params as { code?: string } | undefined
    this.#findings.error(
      params?.code === 'MILLRACE_CONFIG_UNSUPPORTED' ? params.code : 'MILLRACE_CONFIG_INVALID',
      setting,
      `${shown} ${issue?.message ?? 'is not valid'}`,
    )
  }

  #reportUnknown(key: string, setting: Setting, specs: readonly Spec[]): void {
    const { noun, commonKeys, isLenient } = this.#options
    const meant = closestKey(key, [...specs.map((spec) => spec.key), ...commonKeys])
    const hint = meant === undefined ? '' : `; did you mean "${this.#settings.prefix}${meant}"?`
    this.#findings.add(
      isLenient ? 'warning' : 'error',
      'MILLRACE_CONFIG_UNKNOWN_PROPERTY',
      setting,
      `the ${noun} has no such key${hint}`,
    )
  }
}

/** Whether a key that only a refused prefix takes looks like one of the keys beside it. */
function isTypo(
  key: string,
  { spec, prefix }: { readonly spec: Spec; readonly prefix: string },
  keys: readonly string[],
): boolean {
  if (spec.info.unsupported === undefined) return false
  const beside = keys.filter((each) => each.startsWith(prefix))
  const rest = (each: string) => each.slice(prefix.length)
  return closest(rest(key), beside.map(rest)) !== undefined
}

/** The option of a shape that names another component, if there is one. */
export function namedComponentOf(
  shape: OptionShape,
):
  | { readonly name: string; readonly spec: Spec & { readonly component: NamedComponent } }
  | undefined {
  for (const [name, spec] of Object.entries(shape) as [string, Spec][]) {
    if (spec.component) return { name, spec: { ...spec, component: spec.component } }
  }
  return undefined
}
