/** Lists of names: which components an agent has, which channels a source writes to. */
import type { AgentSection, Setting, Settings } from './agent-section.js'
import type { Family } from './families.js'
import { type FindingList, type Place, quote } from './finding.js'
import { closest, suggest } from './suggestion.js'

/** A component that a list names and that has settings. */
export interface Listed {
  readonly name: string
  readonly settings: Settings
  readonly listLine: number
}

/** What one of a family is called. */
const NOUNS: Readonly<Record<Family, string>> = {
  sources: 'source',
  channels: 'channel',
  sinks: 'sink',
  sinkgroups: 'sink group',
  configfilters: 'config filter',
}

/** The names of a list, each once. An absent or unusable list has none. */
export function readNames(setting: Setting | undefined, findings: FindingList): string[] {
  if (setting === undefined || !setting.isUsable) return []
  const names = setting.value.split(/\s+/).filter(Boolean)
  const unique = [...new Set(names)]
  for (const name of unique) {
    if (names.indexOf(name) !== names.lastIndexOf(name)) {
      findings.warning('MILLRACE_CONFIG_DUPLICATE', setting, `names ${quote(name)} more than once`)
    }
  }
  return unique
}

/** As {@link readNames}, for a list that must name something. */
export function readRequiredNames(
  setting: Setting | undefined,
  missing: Place & { readonly message: string },
  findings: FindingList,
): string[] {
  if (setting === undefined) findings.error('MILLRACE_CONFIG_MISSING', missing, missing.message)
  else if (setting.isUsable && setting.value === '') {
    findings.error('MILLRACE_CONFIG_INVALID', setting, `is empty; ${missing.message}`)
  }
  return readNames(setting, findings)
}

/** Says what is wrong with a name that is not among those it has to be one of. */
export function reportUnknownName(
  place: Place,
  given: { readonly name: string; readonly noun: string; readonly known: readonly string[] },
  findings: FindingList,
): void {
  const { name, noun, known } = given
  const hint = /[,;]/.test(name) ? '; names stand between blanks' : suggest(name, known)
  findings.error(
    'MILLRACE_CONFIG_UNKNOWN_NAME',
    place,
    `${quote(name)} is not a ${noun} of this agent${hint}`,
  )
}

/** The components of a family that are in its list and have settings; reports all others. */
export function listedComponents(
  section: AgentSection,
  family: Family,
  findings: FindingList,
): Listed[] {
  const list = section.lists.get(family)
  const components = section.components[family]
  const names = readNames(list, findings)
  const unlisted = [...components.keys()].filter((name) => !names.includes(name))
  if (list?.isUsable !== false) {
    for (const name of unlisted) reportUnlisted(section, { family, name, names }, findings)
  }
  const listed: Listed[] = []
  for (const name of names) {
    const settings = components.get(name)
    if (settings && list) listed.push({ name, settings, listLine: list.line })
    else if (list) {
      const hint = /[,;]/.test(name) ? '; names stand between blanks' : suggest(name, unlisted)
      const missing = family === 'sinkgroups' ? 'sinks' : 'type'
      const key = `${section.agent}.${family}.${name}.${missing}`
      findings.error(
        'MILLRACE_CONFIG_MISSING',
        { key, line: list.line },
        `the ${NOUNS[family]} ${quote(name)} has no settings${hint}`,
      )
    }
  }
  return listed
}

function reportUnlisted(
  section: AgentSection,
  given: { readonly family: Family; readonly name: string; readonly names: readonly string[] },
  findings: FindingList,
): void {
  const { family, name, names } = given
  const first = section.components[family].get(name)?.first
  if (first === undefined) return
  const meant = closest(name, names)
  const hint = meant === undefined ? '' : `; did you mean "${meant}"?`
  findings.warning(
    'MILLRACE_CONFIG_UNUSED',
    first,
    `${section.agent}.${family} does not name ${quote(name)}, so its settings are not used${hint}`,
  )
}
