// Compares every setting of Flume 1.11 with what Millrace declares, and writes the tables of docs/compatibility.md.
//   node scripts/compatibility.mjs           writes them
//   node scripts/compatibility.mjs --check   fails when they are not up to date
//   node scripts/compatibility.mjs --json    prints the comparison
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './bootstrap.mjs'
import { DIFFERENCES, OUT_OF_SCOPE, PENDING } from './compatibility/decisions.mjs'
import { declarationOf } from './compatibility/declared.mjs'

const page = join(root, 'docs', 'compatibility.md')
const settings = JSON.parse(readFileSync(join(root, 'test', 'flume-1.11', 'settings.json'), 'utf8'))

/** `*` stands for any characters, `[…]` for one of them. */
function matches(pattern, text) {
  const expression = pattern.replaceAll(/[.^$+?(){}|\\]/g, '\\$&').replaceAll('*', '.*')
  return new RegExp(`^${expression}$`).test(text)
}

function nameOf({ alias, classNames }) {
  if (alias === '<FQCN>') return 'of your own'
  return (
    alias ??
    classNames[0]
      ?.replace(/\$Builder$/, '')
      .split('.')
      .at(-1) ??
    '(platform MBean server)'
  )
}

function outOfScope(id, property) {
  return OUT_OF_SCOPE.find(
    ({ objects = [], properties = [] }) =>
      objects.some((each) => matches(each, id)) ||
      (property !== undefined && properties.some((each) => matches(each, `${id}: ${property}`))),
  )
}

const unitOf = ({ unit }) => (unit === 'seconds' ? 's' : unit)

/** Whether name, type and default are those of Flume; undefined where the name is not declared. */
function isSame(flume, own) {
  return (
    own.type === flume.type &&
    own.default === flume.default &&
    (own.required ?? false) === flume.required &&
    (own.unit === undefined || flume.unit === undefined || unitOf(own) === unitOf(flume))
  )
}

/** A setting that one key of ours stands for, together with others, works; any other difference is one. */
function differently({ how, declaredBy }, declaration) {
  const isKnown = declaration?.properties.has(declaredBy) ?? false
  return isKnown ? { state: 'works', how, isKnown } : { state: 'different', how }
}

/** What becomes of one setting: works, different, later, refused, or missing, which must not be. */
function judge(id, flume, declaration) {
  const decided = outOfScope(id, flume.name)
  if (decided) return { state: decided.state, topic: decided.topic, how: decided.why }
  const own = declaration?.properties.get(flume.name)
  const setting = `${id}: ${flume.name}`
  const difference = DIFFERENCES.find((each) => matches(each.setting, setting))
  if (own && isSame(flume, own)) {
    const how = own.unsupported ?? own.noEffect ?? difference?.how
    const state = own.unsupported ? 'refused' : how === undefined ? 'works' : 'different'
    return { state, how, isKnown: true }
  }
  if (difference) return differently(difference, declaration)
  if (!own && PENDING.some((each) => matches(each, id) || matches(each, setting)))
    return { state: 'later', isPending: true }
  return { state: 'missing', how: own ? `declared as ${JSON.stringify(own)}` : 'not declared' }
}

const objects = []
for (const object of settings) {
  const id = `${object.kind} ${nameOf(object)}`
  const decided = outOfScope(id)
  const declaration = decided ? undefined : await declarationOf(object)
  const isPending = !decided && !declaration && PENDING.some((each) => matches(each, id))
  objects.push({
    kind: object.kind,
    name: nameOf(object),
    id,
    isDeclared: declaration !== undefined,
    isPending,
    topic: decided?.topic,
    state: decided?.state ?? (isPending ? 'later' : undefined),
    how: decided?.why,
    alias: declaration?.alias,
    properties: object.properties.map((each) => ({
      name: each.name,
      ...judge(id, each, declaration),
    })),
  })
}

const TITLES = {
  source: 'Sources',
  sink: 'Sinks',
  channel: 'Channels',
  selector: 'Channel selectors',
  sinkProcessor: 'Sink processors',
  interceptor: 'Interceptors',
  serializer: 'Serializers',
  deserializer: 'Deserializers',
  httpHandler: 'Handlers of the http source',
  cipherProvider: 'Cipher providers',
  keyProvider: 'Key providers',
  configFilter: 'Config filters',
  monitor: 'Monitors',
  tool: 'Commands',
  client: 'Clients',
  keyNameConvention: 'Names of keys and values',
  escapeSequence: 'Escape sequences of paths',
}
const FOLDERS = {
  source: 'sources',
  channel: 'channels',
  sink: 'sinks',
  serializer: 'serializers',
  deserializer: 'deserializers',
  httpHandler: 'http-handlers',
  interceptor: 'interceptors',
  selector: 'selectors',
  sinkProcessor: 'processors',
  monitor: 'monitors',
}
const PAGES = {
  tool: 'reference/cli.md',
  client: 'reference/rpc.md',
  keyNameConvention: 'reference/configuration.md',
  configFilter: 'reference/configuration.md',
}
const OWN_PAGE = 'guides/custom-components.md'

function link({ kind, name, alias, isDeclared }) {
  const shown = name.startsWith('(') || name === 'of your own' ? name : `\`${name}\``
  const own = FOLDERS[kind] && alias ? `reference/${FOLDERS[kind]}/${alias}.md` : undefined
  const target = name === 'of your own' ? OWN_PAGE : (own ?? PAGES[kind])
  if (!isDeclared || !target || !existsSync(join(root, 'docs', target))) return shown
  return `[${shown}](${target})`
}

const cell = (text) => text.replaceAll('|', '\\|').replaceAll('<', '&lt;')
const code = (name) => `\`${name.replaceAll('|', '\\|')}\``

function row(object) {
  if (object.topic !== undefined || object.isPending) {
    const why = object.how === undefined ? '' : `: ${object.how}`
    return `| ${link(object)} | ${object.state}${cell(why)} | |`
  }
  const of = (state) => object.properties.filter((each) => each.state === state)
  const rest = ['different', 'refused', 'later', 'missing'].flatMap((state) =>
    of(state).map(({ name, how }) => {
      const why = how === undefined ? '' : `: ${cell(how)}`
      return `${code(name)} ${state}${why}`
    }),
  )
  const works = of('works').map(({ name }) => code(name))
  const most = works.length === 0 && rest.length === 0 ? 'works' : works.join(', ')
  return `| ${link(object)} | ${most} | ${rest.join('; ')} |`
}

/** Escape sequences have no settings: they work as one, or not at all. */
function isEscape({ kind }) {
  return kind === 'escapeSequence'
}

function tables() {
  const counts = { works: 0, different: 0, later: 0, refused: 0, missing: 0 }
  for (const { properties } of objects) for (const { state } of properties) counts[state] += 1
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0)
  const lines = [
    `Of ${total} settings ${counts.works} work, ${counts.different} are different, ${counts.later} come later and ${counts.refused} are refused.`,
    '',
  ]
  for (const [kind, title] of Object.entries(TITLES)) {
    const rows = objects.filter((each) => each.kind === kind && !isEscape(each))
    if (rows.length === 0) continue
    lines.push(`### ${title}`, '', '| what | works | otherwise |', '| --- | --- | --- |')
    lines.push(...rows.map(row), '')
  }
  return lines.join('\n')
}

const BEGIN = '<!-- From here on generated by node scripts/compatibility.mjs -->'
const END = '<!-- End of the generated part -->'

function withTables(text) {
  const [before = ''] = text.split(BEGIN)
  const after = text.split(END)[1] ?? '\n'
  return `${before}${BEGIN}\n\n${tables()}\n${END}${after}`
}

if (process.argv.includes('--json'))
  console.log(
    JSON.stringify({
      objects,
      differences: DIFFERENCES,
      outOfScope: OUT_OF_SCOPE,
      pending: PENDING,
    }),
  )
else {
  const current = readFileSync(page, 'utf8')
  const text = withTables(current)
  if (!process.argv.includes('--check')) writeFileSync(page, text)
  else if (text !== current) {
    console.error('docs/compatibility.md is not up to date: node scripts/compatibility.mjs')
    process.exitCode = 1
  }
}
