import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { repository } from '../support/repository.js'

describe('the breakages of npm run sabotage', () => {
  it('still find what they break, and are many', () => {
    const script = join(repository, 'scripts', 'sabotage.mjs')
    const { status, stdout, stderr } = spawnSync(process.execPath, [script, '--check'], {
      encoding: 'utf8',
    })
    assert.equal(status, 0, stderr)
    assert.ok(Number.parseInt(stdout, 10) >= 270, stdout)
  })
})
