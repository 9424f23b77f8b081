/** What every channel selector promises: only its channels, every event once in each, in order. */
import assert from 'node:assert/strict'
import type { ChannelSelector, ComponentDefinition, Route } from '@millrace/component'
import { EventBatch } from '@millrace/event'
import { definitionCases } from './definition.js'
import { createContext, type Settings } from './making.js'
import { bodiesOf } from './numbered-events.js'
import { type TestGlobals, testGlobals } from './test-globals.js'

/** Where one event with these headers goes. */
export interface SelectorExample {
  readonly title: string
  readonly settings?: Settings
  readonly headers: Readonly<Record<string, string>>
  readonly required: readonly string[]
  readonly optional?: readonly string[]
}

export interface SelectorContract {
  readonly definition: ComponentDefinition<'selector'>
  readonly settings?: Settings
  /** Names of the source's channels, in the order of the file. */
  readonly channels: readonly string[]
  readonly examples: readonly SelectorExample[]
}

/** Declares the tests of a selector. Call it at the top of a mocha test file, or in a `describe`. */
export function selectorContract(
  contract: SelectorContract,
  globals: TestGlobals = testGlobals(),
): void {
  const { definition, channels, examples, settings: usual = {} } = contract
  const make = (settings: Settings = usual): ChannelSelector =>
    definition.create({ ...createContext(definition, settings), channels })
  const { describe, it } = globals
  describe(`selector ${definition.alias ?? definition.classNames[0]}`, () => {
    const open = () => Promise.resolve({ settings: usual, close: () => Promise.resolve() })
    definitionCases(definition, open, globals)
    for (const { title, settings, headers, required, optional = [] } of examples) {
      it(title, () => {
        const routes = make(settings).route(EventBatch.of([{ headers, body: 'x' }]))
        assert.deepEqual(namesIn(routes, 'required'), required.toSorted())
        assert.deepEqual(namesIn(routes, 'optional'), optional.toSorted())
      })
    }
    it('sends every event of a mixed batch where it goes alone, in order and once', () => {
      const selector = make()
      const batch = mixedBatch(examples)
      const expected = new Map<string, string[]>()
      for (let i = 0; i < batch.size; i += 1) {
        const alone = byChannel(selector.route(batch.slice(i, i + 1)))
        for (const [channel, bodies] of alone) {
          expected.set(channel, [...(expected.get(channel) ?? []), ...bodies])
        }
      }
      assert.deepEqual(byChannel(selector.route(batch)), expected)
    })
    it('names only channels of its source, none both required and optional for an event', () => {
      for (const route of make().route(mixedBatch(examples))) {
        const names = [...route.required, ...route.optional]
        assert.deepEqual(names, [...new Set(names)])
        assert.deepEqual(
          names.filter((name) => !channels.includes(name)),
          [],
        )
      }
    })
    it('sends nothing of an empty batch', () => {
      const routes = make().route(EventBatch.empty())
      assert.equal(
        routes.reduce((sum, route) => sum + route.batch.size, 0),
        0,
      )
    })
  })
}

function mixedBatch(examples: readonly SelectorExample[]): EventBatch {
  const headers = [{}, ...examples.map((example) => example.headers)]
  return EventBatch.of(
    Array.from({ length: headers.length * 3 }, (_, i) => ({
      headers: headers[(i * 2) % headers.length] ?? {},
      body: String(i),
    })),
  )
}

function namesIn(routes: readonly Route[], kind: 'required' | 'optional'): string[] {
  const names = routes.filter((route) => route.batch.size > 0).flatMap((route) => route[kind])
  return names.toSorted()
}

/**
 * Bodies by channel, in the order in which they go there. What a channel must store and what it may
 * are apart: the optional part comes after the required one.
 */
function byChannel(routes: readonly Route[]): Map<string, string[]> {
  const channels = new Map<string, string[]>()
  for (const { batch, required, optional } of routes) {
    if (batch.size === 0) continue
    const keys = [
      ...required.map((name) => `required ${name}`),
      ...optional.map((name) => `optional ${name}`),
    ]
    for (const key of keys) channels.set(key, [...(channels.get(key) ?? []), ...bodiesOf(batch)])
  }
  return channels
}
