import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { formatFinding, loadConfiguration } from '@millrace/agent-core'
import { repository } from '../../support/repository.js'

const examples = join(repository, 'examples', 'components')
const mocha = join(
  dirname(createRequire(import.meta.url).resolve('mocha/package.json')),
  'bin',
  'mocha.js',
)

describe('components of your own', () => {
  it('are named by a configuration of each kind', async () => {
    const file = join(examples, 'agent.properties')
    const { findings } = await loadConfiguration({ file, agent: 'a1' })
    assert.deepEqual(findings.map(formatFinding), [])
  })

  const make = (...words: string[]) =>
    spawnSync(process.execPath, [join(repository, 'scripts', 'new.mjs'), ...words], {
      encoding: 'utf8',
    })

  it('begin with npm run new, and pass their contract as they are', () => {
    // Within the repository, where the packages are found.
    const directory = mkdtempSync(join(examples, 'new-'))
    try {
      const { status, stderr } = make('sink', 'my-sink', '--directory', directory)
      assert.equal(status, 0, stderr)
      assert.ok(existsSync(join(directory, 'my-sink.js')))
      const tested = spawnSync(process.execPath, [mocha, 'my-sink.test.js'], {
        cwd: directory,
        encoding: 'utf8',
      })
      assert.equal(tested.status, 0, tested.stdout + tested.stderr)
      assert.match(tested.stdout, /passing/)
      assert.equal(make('sink', 'my-sink', '--directory', directory).status, 2)
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  })

  it('are refused by npm run new under a kind or a name that cannot be', () => {
    for (const words of [[], ['sinks', 'x'], ['sink'], ['sink', '../x'], ['sink', 'x', 'y']])
      assert.equal(make(...words).status, 2, words.join(' '))
  })
})
