/** The check of one component: its type, its options, its own rules. */
import type { ComponentDefinition, ComponentKind, Wiring } from '@millrace/component'
import { messageOf } from '@millrace/runtime'
import type { ComponentConfiguration } from './agent-configuration.js'
import type { Setting, Settings } from './agent-section.js'
import { COMMON_KEYS } from './common-keys.js'
import { type ComponentTypes, KIND_NOUNS } from './component-types.js'
import { noteOptions, type OptionNote } from './explanation.js'
import type { FindingList, Place } from './finding.js'
import { closestKey } from './suggestion.js'
import { namedComponentOf, readOptions, type Surroundings } from './option-reader.js'

export interface CheckOptions {
  readonly types: ComponentTypes
  readonly findings: FindingList
  readonly isLenient: boolean
  readonly surroundings?: Surroundings | undefined
  /** Where to tell what each value is and where it comes from. */
  readonly notes?: OptionNote[] | undefined
}

/** Where one component stands in the file. */
export interface ComponentPlan {
  readonly kind: ComponentKind
  readonly name: string
  /** What the component's own keys are read from; keys of its family and its helpers are not in it. */
  readonly own: Settings
  /** The whole key of its `type`. */
  readonly typeKey: string
  readonly type: Setting | undefined
  /** What an absent `type` means; undefined where one is needed. */
  readonly fallbackType?: string
  /** The line of the list that names it, for what is missing when there is no `type`. */
  readonly listLine: number
  /** Keys of its family that are not set: what a misspelt key may have meant. */
  readonly absentKeys: readonly string[]
}

/** A component whose definition is at hand. */
export interface CheckedComponent<K extends ComponentKind = ComponentKind> {
  readonly configuration: ComponentConfiguration<K>
  readonly plan: ComponentPlan
  /** Whether its options can be relied on, for rules between components. */
  readonly isSound: boolean
}

const NOWHERE: Wiring = { channels: [], sinks: [] }

/** The name of a component's definition in sentences: `avro source`. */
const nounOf = (definition: ComponentDefinition, type: string): string =>
  `${definition.alias ?? type} ${KIND_NOUNS[definition.kind]}`

export function lineOf(plan: ComponentPlan): number {
  return plan.type?.line ?? plan.listLine
}

/** The place of a component's key, whether it is set or not. */
export function placeOf(plan: ComponentPlan, key: string): Place {
  return plan.own.get(key) ?? { key: plan.own.prefix + key, line: lineOf(plan) }
}

/** Loads the component's type; reports one that is missing or unknown. */
export async function loadDefinition(
  plan: ComponentPlan,
  options: CheckOptions,
): Promise<ComponentDefinition | undefined> {
  const { findings, types } = options
  const type = typeOf(plan, findings)
  if (type !== undefined) {
    const loaded = await types.load(plan.kind, type)
    if ('definition' in loaded) return loaded.definition
    const place = plan.type ?? { key: plan.typeKey, line: plan.listLine }
    findings.error('MILLRACE_CONFIG_UNKNOWN_TYPE', place, loaded.problem)
  }
  reportLikelySlips(plan, options)
  return undefined
}

/** Without its type nobody knows a component's keys, but one that looks like `type` can be told. */
function reportLikelySlips(plan: ComponentPlan, { findings, isLenient }: CheckOptions): void {
  for (const [key, setting] of plan.own.byKey) {
    const meant = closestKey(key, plan.absentKeys)
    if (meant === undefined) continue
    findings.add(
      isLenient ? 'warning' : 'error',
      'MILLRACE_CONFIG_UNKNOWN_PROPERTY',
      setting,
      `did you mean "${plan.own.prefix}${meant}"?`,
    )
  }
}

function typeOf(plan: ComponentPlan, findings: FindingList): string | undefined {
  const { type, fallbackType } = plan
  if (type !== undefined && !type.isUsable) return undefined
  if (type !== undefined && type.value !== '') return type.value
  if (fallbackType !== undefined) {
    if (type !== undefined) {
      findings.warning('MILLRACE_CONFIG_NO_EFFECT', type, `is empty and counts as ${fallbackType}`)
    }
    return fallbackType
  }
  findings.error(
    type === undefined ? 'MILLRACE_CONFIG_MISSING' : 'MILLRACE_CONFIG_INVALID',
    type ?? { key: plan.typeKey, line: plan.listLine },
    `the ${KIND_NOUNS[plan.kind]} ${plan.name} needs a type`,
  )
  return undefined
}

/** Reads and checks the options of a component whose definition was found. */
export function checkComponent<K extends ComponentKind>(
  plan: ComponentPlan & { readonly kind: K },
  definition: ComponentDefinition,
  options: CheckOptions & { readonly wiring?: Wiring },
): CheckedComponent<K> {
  const { findings, isLenient, surroundings, wiring = NOWHERE } = options
  const type = plan.type?.value || plan.fallbackType || ''
  const errorsBefore = findings.errorCount
  if (options.notes) noteOptions(plan, definition, { surroundings, findings, notes: options.notes })
  const nested = namedComponentOf(definition.options)?.spec
  const values = readOptions(
    definition.options,
    nested
      ? plan.own.filter((key) => key === nested.key || !key.startsWith(nested.component.prefix))
      : plan.own,
    findings,
    {
      noun: nounOf(definition, type),
      line: lineOf(plan),
      commonKeys: COMMON_KEYS[plan.kind].map(({ name }) => name),
      isLenient,
      surroundings,
    },
  )
  if (findings.errorCount === errorsBefore)
    runOwnCheck(plan, definition, values, { findings, wiring })
  return {
    plan,
    isSound: findings.errorCount === errorsBefore,
    configuration: {
      name: plan.name,
      type,
      definition: definition as ComponentDefinition<K>,
      options: values,
      ...findings.originOf(lineOf(plan)),
    },
  }
}

/** The definition's own rules. One that throws is a finding too: nobody's code may hide the others. */
function runOwnCheck(
  plan: ComponentPlan,
  definition: ComponentDefinition,
  values: Record<string, unknown>,
  { findings, wiring }: { readonly findings: FindingList; readonly wiring: Wiring },
): void {
  try {
    for (const problem of definition.check?.(values, wiring) ?? []) {
      findings.add(
        problem.severity ?? 'error',
        problem.code ?? 'MILLRACE_CONFIG_INVALID',
        placeOf(plan, problem.key),
        problem.message,
      )
    }
  } catch (error) {
    findings.error(
      'MILLRACE_CONFIG_INVALID',
      { key: plan.typeKey, line: lineOf(plan) },
      `the check of its options failed: ${messageOf(error)}`,
    )
  }
}

/** The plan of the component that an option of another one names, such as a sink's serializer. */
export function planNamedComponent(
  plan: ComponentPlan,
  definition: ComponentDefinition,
): ComponentPlan | undefined {
  const named = namedComponentOf(definition.options)?.spec
  if (named === undefined) return undefined
  return {
    kind: named.component.kind,
    name: plan.name,
    own: plan.own.under(named.component.prefix),
    absentKeys: [],
    typeKey: plan.own.prefix + named.key,
    type: plan.own.get(named.key),
    fallbackType: String(named.default),
    listLine: lineOf(plan),
  }
}
