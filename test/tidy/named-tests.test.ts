import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { repository } from '../support/repository.js'

const read = (file: string) => readFileSync(join(repository, file), 'utf8')
const rowsOf = (page: string) => page.split('\n').filter((line) => line.startsWith('| '))
const testsIn = (text: string) =>
  [...text.matchAll(/`(test\/[^`]+\.ts)`/g)].map((match) => match[1] ?? '')

describe('tests that pages name', () => {
  for (const page of ['docs/reference/failure-cases.md', 'docs/reference/guarantees.md']) {
    it(`in ${page} are there`, () => {
      const named = testsIn(read(page))
      assert.ok(named.length > 0)
      assert.deepEqual(
        named.filter((file) => !existsSync(join(repository, file))),
        [],
      )
    })
  }

  it('cover each of the seventy failure cases', () => {
    const rows = rowsOf(read('docs/reference/failure-cases.md')).filter((row) => /^\| \d/.test(row))
    assert.deepEqual(
      rows.map((row) => Number(/^\| (\d+) /.exec(row)?.[1])),
      Array.from({ length: 70 }, (_, i) => i + 1),
    )
    assert.deepEqual(
      rows.filter((row) => testsIn(row).length === 0),
      [],
    )
  })

  it('back each guarantee of a channel', () => {
    const section = read('docs/reference/guarantees.md').split(/^## /m)
    const table = section.find((text) => text.startsWith('When an event is safe'))
    const rows = rowsOf(table ?? '').filter((row) => !/^\| (---|channel, mode)/.test(row))
    assert.ok(rows.length >= 15)
    const without = rows.filter(
      (row) => testsIn(row).length === 0 && !row.includes('nothing is promised'),
    )
    assert.deepEqual(without, [])
  })
})
