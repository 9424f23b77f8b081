/** One agent's part of a file, cut into components. Nothing is judged here but the shape of keys. */
import { DEAD_LETTER_CHANNEL, FAMILIES, type Family } from './families.js'
import type { FindingList, Place } from './finding.js'
import { quote } from './finding.js'
import type { PropertyEntry } from './properties.js'
import { Substitution, type SubstitutionSources } from './substitution.js'
import { closest } from './suggestion.js'

/** Flume's second segments, and our own. */
const SEGMENTS = [...FAMILIES, DEAD_LETTER_CHANNEL]

/** One key with the value that counts. */
export interface Setting extends Place {
  readonly value: string
  /** As it stands in the file, references and all. */
  readonly written: string
  /** False when the value could not be found out; that has been reported, so nobody reads it. */
  readonly isUsable: boolean
}

/** Settings with a common prefix, by the rest of their keys, in the order of the file. */
export class Settings {
  /** What the whole keys begin with, dot included. */
  readonly prefix: string
  readonly byKey: ReadonlyMap<string, Setting>

  constructor(prefix: string, byKey: ReadonlyMap<string, Setting>) {
    this.prefix = prefix
    this.byKey = byKey
  }

  get(key: string): Setting | undefined {
    return this.byKey.get(key)
  }

  /** Those under a further prefix. */
  under(prefix: string): Settings {
    return new Settings(
      this.prefix + prefix,
      new Map(
        [...this.byKey]
          .filter(([key]) => key.startsWith(prefix))
          .map(([key, setting]) => [key.slice(prefix.length), setting]),
      ),
    )
  }

  /** Those whose key passes. */
  filter(passes: (key: string) => boolean): Settings {
    return new Settings(this.prefix, new Map([...this.byKey].filter(([key]) => passes(key))))
  }

  /** The first one in the file. */
  get first(): Setting | undefined {
    return this.byKey.values().next().value
  }
}

export interface AgentSection {
  readonly agent: string
  /** Whether the file says anything about the agent. */
  readonly isKnown: boolean
  readonly lists: ReadonlyMap<Family, Setting>
  /** The agent's own `deadLetterChannel`. */
  readonly deadLetterChannel: Setting | undefined
  readonly components: Readonly<Record<Family, ReadonlyMap<string, Settings>>>
}

export interface SectionOptions {
  readonly agent: string
  readonly isLenient: boolean
  readonly sources: Omit<SubstitutionSources, 'properties'>
}

/** Cuts out one agent's section, resolves its values and reports what has no place in it. */
export function readSection(
  given: readonly PropertyEntry[],
  options: SectionOptions,
  findings: FindingList,
): AgentSection {
  const { agent } = options
  const entries = given.map((entry) => ({ ...entry, key: entry.key.trim() }))
  const properties = new Map(entries.map((entry) => [entry.key, entry.value.trim()]))
  const substitution = new Substitution({ ...options.sources, properties })
  reportMalformed(entries, findings)
  const settings = [...lastOfEach(entries, agent, findings)].map((entry) =>
    resolve(entry, substitution, findings),
  )
  reportKeysOfNobody(entries, findings)

  const lists = new Map<Family, Setting>()
  const components = Object.fromEntries(
    FAMILIES.map((family) => [family, new Map<string, Map<string, Setting>>()]),
  ) as Record<Family, Map<string, Map<string, Setting>>>
  let deadLetterChannel: Setting | undefined
  for (const setting of settings) {
    const [segment = '', name, ...rest] = setting.key.slice(agent.length + 1).split('.')
    const family = FAMILIES.find((each) => each === segment)
    if (family !== undefined && name === undefined) lists.set(family, setting)
    else if (segment === DEAD_LETTER_CHANNEL && name === undefined) deadLetterChannel = setting
    else if (family !== undefined && name && rest.join('.') !== '') {
      const byKey = components[family].get(name) ?? new Map<string, Setting>()
      components[family].set(name, byKey.set(rest.join('.'), setting))
    } else reportMisplaced(setting, options, findings)
  }
  return {
    agent,
    isKnown: !agent.includes('.') && entries.some(({ key }) => key.startsWith(`${agent}.`)),
    lists,
    deadLetterChannel,
    components: Object.fromEntries(
      FAMILIES.map((family) => [
        family,
        new Map(
          [...components[family]].map(([name, byKey]) => [
            name,
            new Settings(`${agent}.${family}.${name}.`, byKey),
          ]),
        ),
      ]),
    ) as Record<Family, Map<string, Settings>>,
  }
}

/** Java refuses the whole file for one of these, whoever's section it stands in. */
function reportMalformed(entries: readonly PropertyEntry[], findings: FindingList): void {
  for (const { key, line, malformed } of entries) {
    if (malformed === undefined) continue
    findings.error(
      'MILLRACE_CONFIG_INVALID',
      { key, line },
      `${quote(malformed)} is not \\u and four hexadecimal digits; write \\\\u for a backslash and a u`,
    )
  }
}

/** The agent's entries with the last of each repeated key, at the place of that last one. */
function lastOfEach(
  entries: readonly PropertyEntry[],
  agent: string,
  findings: FindingList,
): Iterable<PropertyEntry> {
  const last = new Map<string, PropertyEntry>()
  for (const entry of entries) {
    if (!entry.key.startsWith(`${agent}.`)) continue
    const earlier = last.get(entry.key)
    if (earlier) {
      // A later file is there to change what an earlier one says.
      if (findings.originOf(earlier.line).file === findings.originOf(entry.line).file) {
        findings.warning(
          'MILLRACE_CONFIG_DUPLICATE',
          entry,
          `was already set on ${findings.describeLine(earlier.line, entry)}; this value counts`,
        )
      }
      last.delete(entry.key)
    }
    last.set(entry.key, entry)
  }
  return last.values()
}

function resolve(entry: PropertyEntry, substitution: Substitution, findings: FindingList): Setting {
  const { key, line } = entry
  const { text, problems } = substitution.resolve(key)
  for (const { severity, code, message } of problems) findings.add(severity, code, entry, message)
  const isUsable =
    entry.malformed === undefined && problems.every(({ severity }) => severity === 'warning')
  return { key, line, value: text.trim(), written: entry.value.trim(), isUsable }
}

/** A key without a dot belongs to no agent. It may serve as a variable, but then something refers to it. */
function reportKeysOfNobody(entries: readonly PropertyEntry[], findings: FindingList): void {
  const references = entries.map(({ value }) => value).filter((value) => value.includes('${'))
  for (const entry of entries) {
    if (entry.key.includes('.') || references.some((value) => value.includes(entry.key))) continue
    findings.warning(
      'MILLRACE_CONFIG_UNUSED',
      entry,
      'belongs to no agent: keys begin with an agent name and a dot',
    )
  }
}

function reportMisplaced(setting: Setting, options: SectionOptions, findings: FindingList): void {
  const { agent, isLenient } = options
  const [segment = '', ...rest] = setting.key.slice(agent.length + 1).split('.')
  const isFamily = FAMILIES.some((each) => each === segment)
  const isKey = isFamily || segment === DEAD_LETTER_CHANNEL
  const meant = isKey ? undefined : closest(segment, SEGMENTS)
  const hint = meant === undefined ? '' : `; did you mean "${[agent, meant, ...rest].join('.')}"?`
  findings.add(
    isLenient ? 'warning' : 'error',
    'MILLRACE_CONFIG_UNKNOWN_PROPERTY',
    setting,
    isFamily
      ? `is incomplete: it needs the form ${agent}.${segment}.<name>.<key>`
      : `is not a key of an agent: ${SEGMENTS.slice(0, 4).join(', ')} are${hint}`,
  )
}
