// Writes docs/reference/components.md from what the built-in components declare.
//   node scripts/component-reference.mjs           writes the page
//   node scripts/component-reference.mjs --check   exit code 1 when the page is not up to date
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root } from './bootstrap.mjs'

const page = join(root, 'docs', 'reference', 'components.md')
const core = join(root, 'agent-core', 'dist', 'esm', 'index.js')

const FAMILIES = [
  ['source', 'Sources'],
  ['channel', 'Channels'],
  ['sink', 'Sinks'],
  ['selector', 'Channel selectors'],
  ['sinkProcessor', 'Sink processors'],
  ['interceptor', 'Interceptors'],
  ['serializer', 'Serializers'],
  ['deserializer', 'Deserializers'],
  ['httpHandler', 'HTTP handlers'],
  ['monitor', 'Monitors'],
  ['configFilter', 'Config filters'],
]

const HEAD = `# Components

Every component that comes with the agent, with all its keys. Keys, defaults and class names are those of Apache Flume 1.11;
[compatibility.md](../compatibility.md) says where the behaviour differs. How a configuration is written is in
[configuration.md](configuration.md).

A key is relative to its component: \`capacity\` of the channel \`c1\` of the agent \`a1\` is \`a1.channels.c1.capacity\`. Keys of an
interceptor follow \`<agent>.sources.<source>.interceptors.<interceptor>.\`, those of a serializer follow the key that names it
(\`sink.serializer.\`). Keys of a selector belong to its source, keys of a sink processor to its sink group, keys of a monitor follow \`-Dflume.monitoring.\`.

This page is generated from the components' own declarations: \`node scripts/component-reference.mjs\`.
`

const cell = (text) => text.replaceAll('|', '\\|').replaceAll('<', '\\<').replaceAll('\n', ' ')
const code = (text) => `\`${text}\``

function typeOf({ type, unit, values }) {
  if (values) return values.map(code).join(', ')
  const name = type === 'map-prefix' ? 'keys' : type
  return unit === undefined ? name : `${name} (${unit})`
}

function defaultOf({ default: value, required }) {
  if (value === '') return 'empty'
  if (value !== null) return code(value)
  return required ? '**required**' : ''
}

function meaningOf({ description, noEffect, unsupported }) {
  if (unsupported !== undefined) return `${description} Refused: ${unsupported}.`
  return noEffect === undefined ? description : `${description} No effect: ${noEffect}.`
}

/** Columns as wide as their widest cell, which is how the formatter wants them. */
function table(rows) {
  const all = [['key', 'type', 'default', 'meaning'], ...rows]
  const widths = all[0].map((_, column) => Math.max(...all.map((row) => [...row[column]].length)))
  const line = (row) => `| ${row.map((text, column) => pad(text, widths[column])).join(' | ')} |`
  return [line(all[0]), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)]
}

const pad = (text, width) => text + ' '.repeat(width - [...text].length)

function section(component) {
  const { alias, classNames, summary, properties } = component
  const rows = properties.map((each) =>
    [code(each.name), typeOf(each), defaultOf(each), cell(meaningOf(each))].map(String),
  )
  return [
    `### ${code(alias ?? classNames[0])}`,
    '',
    summary,
    '',
    `Class name: ${classNames.map(code).join(', ')}`,
    '',
    ...(rows.length === 0 ? ['It has no keys of its own.'] : table(rows)),
    '',
  ].join('\n')
}

const { documentComponents } = await import(pathToFileURL(core).href)
const components = await documentComponents()
const text = [
  HEAD,
  ...FAMILIES.flatMap(([kind, title]) => [
    `## ${title}\n`,
    ...components.filter((each) => each.kind === kind).map(section),
  ]),
].join('\n')

if (process.argv.includes('--check')) {
  if (text !== readFileSync(page, 'utf8')) {
    console.error(
      'docs/reference/components.md is not up to date: node scripts/component-reference.mjs',
    )
    process.exitCode = 1
  }
} else writeFileSync(page, text)
