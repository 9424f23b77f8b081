import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  describeComponents,
  formatFinding,
  loadConfiguration,
  type PropertyDescription,
} from '@millrace/agent-core'
import {
  describes,
  type Line,
  linesOf,
  misspeltKeys,
  misspeltValues,
  type Mutation,
  removedLines,
  repeatedLines,
} from '../../support/configuration/mutations.js'
import { repository } from '../../support/repository.js'
import { temporaryDirectory } from '../../support/temp-directory.js'

const AGENTS = ['collector', 'relay', 'router']

const read = (agent: string) =>
  readFileSync(join(repository, `test/support/configuration/files/${agent}.properties`), 'utf8')

const directory = temporaryDirectory()

async function check(text: string, agent: string) {
  const file = join(directory, `${agent}.properties`)
  writeFileSync(file, text)
  const { findings } = await loadConfiguration({
    file,
    agent,
    environment: { BIND: '0.0.0.0' },
    systemProperties: { port: '41414' },
  })
  return findings
}

async function expectNoticed(agent: string, mutations: readonly Mutation[]): Promise<void> {
  const missed: string[] = []
  for (const { what, text, lines } of mutations) {
    const findings = await check(text, agent)
    if (findings.some(({ line }) => lines.includes(line))) continue
    missed.push([`${what} (${lines.join()})`, ...findings.map(formatFinding)].join('\n    '))
  }
  assert.ok(mutations.length > 10, `only ${mutations.length} slips`)
  assert.equal(
    missed.length,
    0,
    `${missed.length} of ${mutations.length} slips went unnoticed:\n${missed.join('\n')}`,
  )
}

const described = await describeComponents()

/** What the reference says of a line's key, by the type of its component. */
function propertyOf({ key }: Line, all: readonly Line[]): PropertyDescription | undefined {
  const [agent = '', family = '', name = '', ...rest] = key.split('.')
  const relative = rest.join('.')
  const typeOf = (typeKey: string) => all.find((each) => each.key === typeKey)?.value
  const prefix = `${agent}.${family}.${name}.`
  const [, interceptor] = relative.split('.')
  const [kind, type, shown] = relative.startsWith('interceptors.')
    ? (['interceptor', typeOf(`${prefix}interceptors.${interceptor}.type`), rest.slice(2)] as const)
    : relative.startsWith('selector.')
      ? (['selector', typeOf(`${prefix}selector.type`), rest] as const)
      : relative.startsWith('sink.serializer.')
        ? (['serializer', typeOf(`${prefix}sink.serializer`), rest.slice(2)] as const)
        : family === 'sinkgroups'
          ? (['sinkProcessor', typeOf(`${prefix}processor.type`), rest] as const)
          : ([family.slice(0, -1), typeOf(`${prefix}type`), rest] as const)
  const component = described.find(
    (each) => each.kind === kind && (each.alias === type || each.classNames.includes(type ?? '')),
  )
  return component?.properties.find((property) => describes(property, shown.join('.')))
}

/** Free text: no value of it is wrong. */
function isFree(line: Line, all: readonly Line[]): boolean {
  if (line.key.split('.').length === 2) return false
  const property = propertyOf(line, all)
  assert.ok(property, line.key)
  if (line.value.startsWith('${') || property.name === 'ipFilterRules') return true
  if (/type$|serializer$|Codec$|processor\.selector$/.test(property.name)) return false
  const isName = /channel|^selector\.(default|mapping|optional)|^sinks$|interceptors/
  return property.type === 'string' && !isName.test(property.name)
}

/** Where it has to be noticed that a line is gone; nowhere when it may be. */
function linesWithout(line: Line, all: readonly Line[]): readonly number[] {
  const [agent, family, name] = line.key.split('.')
  const lineOf = (key: string) => all.find((each) => each.key === key)?.line ?? 1
  if (name === undefined) {
    // A list: its components' settings are no longer used, or the agent is not complete.
    return [1, ...all.filter(({ key }) => key.startsWith(`${agent}.${family}.`)).map((e) => e.line)]
  }
  const own = `${agent}.${family}.${name}.`
  if (line.key.endsWith('interceptors')) {
    return all.filter(({ key }) => key.startsWith(`${line.key}.`)).map((each) => each.line)
  }
  if (/interceptors\.\w+\.type$/.test(line.key)) return [lineOf(`${own}interceptors`)]
  if (line.key === `${own}type`) return [lineOf(`${agent}.${family}`)]
  if (line.key === `${own}sinks`) return [lineOf(`${own}processor.type`)]
  return propertyOf(line, all)?.required && !/(selector|processor)\.type$/.test(line.key)
    ? [lineOf(`${own}type`)]
    : []
}

for (const agent of AGENTS) {
  describe(`the configuration of a ${agent}`, () => {
    const text = read(agent)
    const all = linesOf(text)

    it('has no findings', async () => {
      assert.deepEqual((await check(text, agent)).map(formatFinding), [])
    })

    it('has a misspelt key noticed on its line', async () => {
      await expectNoticed(agent, misspeltKeys(text))
    })

    it('has a misspelt value noticed on its line', async () => {
      await expectNoticed(
        agent,
        misspeltValues(text, (line) => isFree(line, all)),
      )
    })

    it('has a missing line noticed where its component’s type stands', async () => {
      const removed = removedLines(text, linesWithout)
      await expectNoticed(agent, removed)
    })

    it('has a repeated line noticed on the second one', async () => {
      await expectNoticed(agent, repeatedLines(text))
    })
  })
}
