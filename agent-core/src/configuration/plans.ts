/** Which of a component's settings are whose: its own, its family's, its helpers'. */
import type { ComponentKind } from '@millrace/component'
import type { ComponentPlan } from './component-check.js'
import { COMMON_KEYS } from './common-keys.js'
import type { FindingList } from './finding.js'
import { type Listed, readNames } from './lists.js'
import type { Settings } from './agent-section.js'
import { closest } from './suggestion.js'
import { quote } from './finding.js'

const SOURCE_KEYS = COMMON_KEYS.source.map(({ name }) => name)
const SINK_KEYS = COMMON_KEYS.sink.map(({ name }) => name)

const isSourceKey = (key: string): boolean =>
  SOURCE_KEYS.includes(key) || key.startsWith('selector.') || key.startsWith('interceptors.')

/** The keys that a component of a kind has whatever its type, and that are not set. */
const absentKeys = (kind: ComponentKind, settings: Settings): string[] =>
  COMMON_KEYS[kind].map(({ name }) => name).filter((name) => settings.get(name) === undefined)

type Plan<K> = ComponentPlan & { readonly kind: K }

export function planSource({ name, settings, listLine }: Listed): Plan<'source'> {
  return {
    kind: 'source',
    name,
    own: settings.filter((key) => !isSourceKey(key)),
    absentKeys: absentKeys('source', settings),
    typeKey: `${settings.prefix}type`,
    type: settings.get('type'),
    listLine,
  }
}

export function planChannel({ name, settings, listLine }: Listed): Plan<'channel'> {
  return {
    kind: 'channel',
    name,
    own: settings.filter((key) => key !== 'type'),
    absentKeys: absentKeys('channel', settings),
    typeKey: `${settings.prefix}type`,
    type: settings.get('type'),
    listLine,
  }
}

export function planConfigFilter({ name, settings, listLine }: Listed): Plan<'configFilter'> {
  return {
    kind: 'configFilter',
    name,
    own: settings.filter((key) => key !== 'type'),
    absentKeys: absentKeys('configFilter', settings),
    typeKey: `${settings.prefix}type`,
    type: settings.get('type'),
    listLine,
  }
}

export function planSink({ name, settings, listLine }: Listed): Plan<'sink'> {
  return {
    kind: 'sink',
    name,
    own: settings.filter((key) => !SINK_KEYS.includes(key)),
    absentKeys: absentKeys('sink', settings),
    typeKey: `${settings.prefix}type`,
    type: settings.get('type'),
    listLine,
  }
}

/** A source without `selector.type` has a replicating one. */
export function planSelector({ name, settings, listLine }: Listed): Plan<'selector'> {
  return {
    kind: 'selector',
    name,
    own: settings.filter((key) => key.startsWith('selector.') && key !== 'selector.type'),
    absentKeys: absentKeys('selector', settings),
    typeKey: `${settings.prefix}selector.type`,
    type: settings.get('selector.type'),
    fallbackType: 'replicating',
    listLine: settings.get('type')?.line ?? listLine,
  }
}

/** A group without `processor.type` has a default one, as Flume's guide says. */
export function planProcessor({ name, settings, listLine }: Listed): Plan<'sinkProcessor'> {
  return {
    kind: 'sinkProcessor',
    name,
    own: settings.filter((key) => key !== 'sinks' && key !== 'processor.type'),
    absentKeys: absentKeys('sinkProcessor', settings),
    typeKey: `${settings.prefix}processor.type`,
    type: settings.get('processor.type'),
    fallbackType: 'default',
    listLine,
  }
}

/** A source's interceptors in the order of their list. Reports those without settings, and settings without a list. */
export function planInterceptors(listed: Listed, findings: FindingList): Plan<'interceptor'>[] {
  const { settings } = listed
  const list = settings.get('interceptors')
  const names = readNames(list, findings)
  const all = settings.under('interceptors.')
  if (list?.isUsable !== false) reportUnlisted(all, names, findings)
  return names.map((name) => {
    const own = all.under(`${name}.`)
    return {
      kind: 'interceptor',
      name,
      own: own.filter((key) => key !== 'type'),
      absentKeys: absentKeys('interceptor', own),
      typeKey: `${own.prefix}type`,
      type: own.get('type'),
      listLine: list?.line ?? listed.listLine,
    }
  })
}

function reportUnlisted(all: Settings, names: readonly string[], findings: FindingList): void {
  const reported = new Set<string>()
  for (const [key, setting] of all.byKey) {
    const [name = ''] = key.split('.')
    if (names.includes(name) || reported.has(name)) continue
    reported.add(name)
    const meant = closest(name, names)
    const hint = meant === undefined ? '' : `; did you mean "${meant}"?`
    findings.warning(
      'MILLRACE_CONFIG_UNUSED',
      setting,
      `the list of interceptors does not name ${quote(name)}, so its settings are not used${hint}`,
    )
  }
}
