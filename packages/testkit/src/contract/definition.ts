import assert from 'node:assert/strict'
import { type ComponentDefinition, prefixOf } from '@millrace/component'
import { readSettings, SettingsError, type Settings } from './making.js'
import type { TestGlobals } from './test-globals.js'

/** What holds for the options and the description of every component. */
export function definitionCases(
  definition: ComponentDefinition,
  open: () => Promise<{ readonly settings: Settings; readonly close: () => Promise<void> }>,
  globals: TestGlobals,
): void {
  const it = (title: string, body: (settings: Settings) => void) =>
    globals.it(title, async () => {
      const component = await open()
      try {
        body(component.settings)
      } finally {
        await component.close()
      }
    })
  const codesFor = (given: Settings): readonly string[] => {
    try {
      readSettings(definition.options, given)
      return []
    } catch (error) {
      if (error instanceof SettingsError) return error.problems.map((each) => each.code)
      throw error
    }
  }
  it('refuses a key that it does not know', (settings) => {
    assert.deepEqual(codesFor(settings), [])
    assert.deepEqual(codesFor({ ...settings, 'noSuchKey-1f2e': 'x' }), [
      'MILLRACE_CONFIG_UNKNOWN_PROPERTY',
    ])
  })
  it('misses each required key', (settings) => {
    for (const spec of Object.values(definition.options)) {
      if (!spec.info.required) continue
      const prefix = prefixOf(spec)
      const isOf = (key: string) =>
        prefix === undefined ? key === spec.key : key.startsWith(prefix)
      const others = Object.entries(settings).filter(([key]) => !isOf(key))
      const codes = codesFor(Object.fromEntries(others))
      assert.deepEqual(codes, ['MILLRACE_CONFIG_MISSING'], spec.key)
    }
  })
  it('describes itself and each of its keys, no key twice', () => {
    assert.ok(definition.summary.length > 10, 'the summary is a sentence')
    const keys = Object.values(definition.options).map((spec) => spec.key)
    assert.deepEqual(keys, [...new Set(keys)])
    for (const spec of Object.values(definition.options)) {
      assert.ok(spec.info.description.length > 3, `${spec.key} is described`)
    }
  })
  it('reads the default of each key as a user would write it', () => {
    for (const spec of Object.values(definition.options)) {
      if (spec.default === null || spec.info.unsupported !== undefined) continue
      const result = spec.schema.safeParse(String(spec.default))
      assert.ok(result.success, `${spec.key} = ${spec.default}`)
      assert.deepEqual(result.data, spec.fallback, spec.key)
    }
  })
}
