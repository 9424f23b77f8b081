import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { repository } from '../support/repository.js'

interface Breakage {
  readonly name: string
  readonly tests?: readonly RegExp[]
}

const page = readFileSync(join(repository, 'docs/reference/requirements.md'), 'utf8')
const rows = page
  .split('\n')
  .filter((line) => line.startsWith('| R-'))
  .map((line) => {
    const [number = '', , tests = '', breakages = ''] = line.split('|').slice(1, -1)
    return {
      number: number.trim(),
      tests: [...tests.matchAll(/`test\/([^`]+)\.ts`/g)].map(([, file = '']) => file),
      breakages: [...breakages.matchAll(/“([^”]+)”/g)].map(([, name = '']) => name),
    }
  })

describe('the requirements of the appenders', () => {
  let breakages: readonly Breakage[] = []
  let own: readonly Breakage[] = []
  before(async () => {
    const file = pathToFileURL(join(repository, 'scripts/sabotage/breakages.mjs')).href
    const { AREAS } = (await import(file)) as { AREAS: Record<string, readonly Breakage[]> }
    breakages = Object.values(AREAS).flat()
    own = [...(AREAS['appender-engine'] ?? []), ...(AREAS['appender-content'] ?? [])]
  })

  it('are 56, each listed once', () => {
    const expected = Array.from({ length: 56 }, (_, i) => `R-${String(i + 1).padStart(2, '0')}`)
    assert.deepEqual(
      rows.map(({ number }) => number),
      expected,
    )
  })

  it('have a test each, which is there', () => {
    for (const { number, tests } of rows) {
      assert.ok(tests.length > 0, number)
      const missing = tests.filter((file) => !existsSync(join(repository, 'test', `${file}.ts`)))
      assert.deepEqual(missing, [], number)
    }
  })

  it('have a breakage each, which is there and is noticed by a test of theirs', () => {
    for (const { number, tests, breakages: names } of rows) {
      assert.ok(names.length > 0, number)
      for (const name of names) {
        const breakage = breakages.find((one) => one.name === name)
        assert.ok(breakage, `${number}: no breakage “${name}”`)
        if (breakage.tests === undefined) continue
        const isNoticed = breakage.tests.some((pattern) =>
          tests.some((file) => pattern.test(`${file}.js`)),
        )
        assert.ok(isNoticed, `${number}: no test of this row is run for “${name}”`)
      }
    }
  })

  it('have breakages of the appenders of which there are at least forty, all with tests', () => {
    assert.ok(own.length >= 40)
    assert.deepEqual(
      own.filter(({ tests }) => tests === undefined || tests.length === 0),
      [],
    )
  })
})
