/** Where each value of a configuration comes from. */
import {
  type ComponentDefinition,
  type ComponentKind,
  type OptionSpec,
  prefixOf,
} from '@millrace/component'
import type { AgentSection, Setting } from './agent-section.js'
import type { ComponentPlan } from './component-check.js'
import { FAMILIES, type Family } from './families.js'
import type { FindingList } from './finding.js'
import type { Surroundings } from './option-reader.js'

export type ValueOrigin =
  /** The key stands in a file. `written` is its text before references were replaced. */
  | {
      readonly from: 'file'
      readonly file: string
      readonly line: number
      readonly written: string
    }
  | { readonly from: 'default' }
  /** A setting of the whole agent: a system property or a variable of the environment. */
  | { readonly from: 'system property' | 'environment'; readonly name: string }
  /** Nothing sets it, and nothing has to. */
  | { readonly from: 'unset' }

/** One key of one component. */
export interface OptionNote {
  /** `agent` for its lists. */
  readonly kind: ComponentKind | 'agent'
  /** The component's name. */
  readonly component: string
  readonly type: string
  /** The whole key, agent name included. */
  readonly key: string
  /** As it would stand in a file; null when it is not set and has no default. A secret is `***`. */
  readonly value: string | null
  readonly origin: ValueOrigin
  /** What else there is to know: an adjusted value, a key without effect. */
  readonly remark?: string
}

/** What stands for a secret. */
export const MASK = '***'

/** Keys that hold a secret, whatever their component says of them. */
export const isSecretKey = (key: string): boolean =>
  /pass(?:word|wd|phrase)?$|secret|token$|credential|private-?key$/i.test(key)

/** Texts whose references bring in something secret: by their names, or because a config filter gives it. */
const SECRET_REFERENCE =
  /\$\{[^}]*(?:pass(?:word|wd|phrase)|secret|token|credential|private-?key)|\$\{[^:}[]+\[/i

/** A value as it may be shown. */
export function shownValue(
  key: string,
  value: string,
  {
    written = value,
    isSecret = false,
  }: { readonly written?: string; readonly isSecret?: boolean } = {},
): string {
  if (isSecret || isSecretKey(key) || SECRET_REFERENCE.test(written)) return MASK
  return value.replaceAll(/(\w:\/\/[^\s/:@]*:)[^\s/@]+@/g, `$1${MASK}@`)
}

/** Tells of every key that a component declares where its value comes from. */
export function noteOptions(
  plan: ComponentPlan,
  definition: ComponentDefinition,
  { surroundings, findings, notes }: NoteContext,
): void {
  const type = plan.type?.value || plan.fallbackType || ''
  const common = { kind: definition.kind, component: plan.name, type }
  const prefixes = Object.values(definition.options).map(prefixOf)
  for (const spec of Object.values(definition.options)) {
    const prefix = prefixOf(spec)
    const isSecret = spec.info.secret === true
    const taken =
      prefix === undefined
        ? [...plan.own.byKey].filter(([key]) => key === spec.key)
        : [...plan.own.byKey].filter(
            ([key]) =>
              key.startsWith(prefix) &&
              !Object.values(definition.options).some((each) => each.key === key),
          )
    for (const [, setting] of taken) {
      const { key, value, written } = setting
      const { file, line } = findings.originOf(setting.line)
      const remark = spec.info.noEffect ?? spec.info.unsupported
      notes.push({
        ...common,
        key,
        value: shownValue(key, value, { written, isSecret }),
        origin: { from: 'file', file, line, written: shownWritten(key, written, isSecret) },
        ...(remark === undefined ? {} : { remark }),
      })
    }
    if (taken.length > 0 || prefix !== undefined) continue
    // A key that only stands for those under it.
    if (prefixes.includes(`${spec.key}.`) && spec.default === null) continue
    notes.push({ ...common, key: plan.own.prefix + spec.key, ...unwritten(spec, surroundings) })
  }
}

export interface NoteContext {
  readonly surroundings: Surroundings | undefined
  readonly findings: FindingList
  readonly notes: OptionNote[]
}

/** A reference alone, which names a secret without holding it: no default, nothing decoded from its own text. */
const PLAIN_REFERENCE = /^\$\{(?!(?:base64|url)(?:De|En)coder:)(?:(?!:-)[^{}])*\}$/

/** The text in the file; a reference is no secret, a password that stands there itself or as its default is one. */
function shownWritten(key: string, written: string, isSecret: boolean): string {
  if (PLAIN_REFERENCE.test(written)) return written
  return shownValue(key, written, { isSecret })
}

function unwritten(
  spec: OptionSpec<unknown>,
  surroundings: Surroundings | undefined,
): Pick<OptionNote, 'value' | 'origin'> {
  const isSecret = spec.info.secret === true
  const { inherits } = spec.info
  if (inherits && surroundings) {
    const ofSystem = surroundings.systemProperties[inherits.systemProperty]
    const ofEnvironment = surroundings.environment[inherits.environment]
    const [from, name, text] = ofSystem
      ? (['system property', inherits.systemProperty, ofSystem] as const)
      : (['environment', inherits.environment, ofEnvironment] as const)
    if (text) return { value: shownValue(spec.key, text, { isSecret }), origin: { from, name } }
  }
  const shown = spec.info.shownDefault ?? spec.default
  if (shown === null) return { value: null, origin: { from: 'unset' } }
  return { value: String(shown), origin: { from: 'default' } }
}

/** Keys that hold the agent together: lists, types, wiring. Whatever no component has told of. */
export function noteWiring(
  section: AgentSection,
  { findings, notes }: Pick<NoteContext, 'findings' | 'notes'>,
): void {
  const told = new Set(notes.map(({ key }) => key))
  const add = (
    setting: Setting,
    kind: ComponentKind | 'agent',
    component: string,
    type: string,
  ) => {
    if (told.has(setting.key)) return
    const { key, value, written } = setting
    const { file, line } = findings.originOf(setting.line)
    const origin = { from: 'file', file, line, written: shownWritten(key, written, false) } as const
    notes.push({ kind, component, type, key, value: shownValue(key, value, { written }), origin })
  }
  for (const setting of section.lists.values()) add(setting, 'agent', section.agent, '')
  if (section.deadLetterChannel) add(section.deadLetterChannel, 'agent', section.agent, '')
  for (const family of FAMILIES) {
    for (const [name, settings] of section.components[family]) {
      const type = (settings.get('type') ?? settings.get('processor.type'))?.value ?? ''
      for (const setting of settings.byKey.values()) add(setting, KIND_OF[family], name, type)
    }
  }
}

const KIND_OF: Readonly<Record<Family, ComponentKind>> = {
  sources: 'source',
  channels: 'channel',
  sinks: 'sink',
  sinkgroups: 'sinkProcessor',
  configfilters: 'configFilter',
}
