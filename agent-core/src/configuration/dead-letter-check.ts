/** Where a sink's dead letters go: its own key, else the agent's. */
import type { AgentSection, Setting } from './agent-section.js'
import { DEAD_LETTER_CHANNEL } from './families.js'
import type { FindingList } from './finding.js'
import { type Listed, readNames, reportUnknownName } from './lists.js'

/** A sink with the channel that it takes from, known or not. */
export interface DrainingSink {
  readonly listed: Listed
  readonly channel: string | undefined
}

/** The dead-letter channel of one sink, and the setting that names it. */
interface Edge {
  readonly sink: string
  readonly from: string | undefined
  readonly to: string
  readonly setting: Setting
}

/**
 * The dead-letter channel of each sink that has one, by the sink's name. The agent's own key means all
 * sinks but those that take from the channel it names.
 */
export function checkDeadLetters(
  section: AgentSection,
  sinks: readonly DrainingSink[],
  findings: FindingList,
): ReadonlyMap<string, string> {
  const ofAgent = section.deadLetterChannel
  const general = nameIn(section, ofAgent, findings)
  const edges: Edge[] = []
  for (const { listed, channel: from } of sinks) {
    const setting = listed.settings.get(DEAD_LETTER_CHANNEL)
    const own = nameIn(section, setting, findings)
    if (setting && own === from && own !== undefined) {
      const message = `the sink takes from ${own} itself; events that it rejects would come back to it for ever`
      findings.error('MILLRACE_CONFIG_INVALID', setting, message)
    } else if (setting && own !== undefined) {
      edges.push({ sink: listed.name, from, to: own, setting })
    } else if (ofAgent && general !== undefined && general !== from) {
      edges.push({ sink: listed.name, from, to: general, setting: ofAgent })
    }
  }
  reportCircle(edges, findings)
  return new Map(edges.map(({ sink, to }) => [sink, to]))
}

/** The one channel that a setting names; reports everything else. */
function nameIn(
  section: AgentSection,
  setting: Setting | undefined,
  findings: FindingList,
): string | undefined {
  if (setting?.isUsable && setting.value === '') {
    findings.warning('MILLRACE_CONFIG_NO_EFFECT', setting, 'is empty and counts as not set')
  }
  const [name, ...more] = readNames(setting, findings)
  if (setting === undefined || name === undefined) return undefined
  if (more.length > 0) {
    findings.error('MILLRACE_CONFIG_INVALID', setting, 'dead letters go to one channel only')
    return undefined
  }
  const list = section.lists.get('channels')
  const known = list?.value.split(/\s+/).filter(Boolean) ?? []
  if (known.includes(name) || list?.isUsable === false) return name
  reportUnknownName(setting, { name, noun: 'channel', known }, findings)
  return undefined
}

/** Events that several sinks reject in turn must come to rest somewhere. */
function reportCircle(edges: readonly Edge[], findings: FindingList): void {
  for (const edge of edges) {
    const path = wayBack(edge, edges)
    if (!path) continue
    const message = `rejected events would go round in a circle: ${path.join(' → ')}`
    findings.error('MILLRACE_CONFIG_INVALID', edge.setting, message)
    return
  }
}

/** Channels from the start of an edge over its end to its start again; undefined when none lead there. */
function wayBack(first: Edge, edges: readonly Edge[]): string[] | undefined {
  const ways: string[][] = [[first.from ?? '', first.to]]
  const seen = new Set<string>()
  for (let way = ways.pop(); way; way = ways.pop()) {
    const at = way.at(-1) ?? ''
    if (at === first.from) return way
    if (seen.has(at)) continue
    seen.add(at)
    for (const { from, to } of edges) if (from === at) ways.push([...way, to])
  }
  return undefined
}
