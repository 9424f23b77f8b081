import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadConfiguration } from '@millrace/agent-core'
import { ERROR_CODES } from '@millrace/runtime'
import { repository } from '../support/repository.js'
import { temporaryDirectory } from '../support/temp-directory.js'

describe('the reference of components', () => {
  it('is what the components declare', () => {
    const script = join(repository, 'scripts', 'component-reference.mjs')
    const { status, stderr } = spawnSync(process.execPath, [script, '--check'], {
      encoding: 'utf8',
    })
    assert.equal(status, 0, stderr)
  })
})

describe('the reference of the configuration', () => {
  const page = readFileSync(join(repository, 'docs/reference/configuration.md'), 'utf8')

  it('explains every code of a finding', () => {
    const codes = Object.keys(ERROR_CODES).filter(
      (code) => code.startsWith('MILLRACE_CONFIG_') && code !== 'MILLRACE_CONFIG_UNREADABLE',
    )
    assert.deepEqual(
      codes.filter((code) => !page.includes(code)),
      [],
    )
  })

  it('shows a file and a module that work together', async () => {
    const example = (language: string) =>
      new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``).exec(page)?.[1] ?? ''
    const directory = temporaryDirectory()
    mkdirSync(join(directory, 'node_modules', '@millrace'), { recursive: true })
    symlinkSync(
      join(repository, 'packages', 'component'),
      join(directory, 'node_modules', '@millrace', 'component'),
    )
    writeFileSync(join(directory, 'package.json'), '{ "type": "module" }')
    writeFileSync(join(directory, 'my-sink.js'), example('js'))
    const file = join(directory, 'flume.properties')
    for (const [type, alias] of [
      ['logger', 'logger'],
      ['./my-sink.js', null],
    ]) {
      const text = example('properties').replace('= logger', `= ${type}`)
      writeFileSync(file, text)
      const { findings, configuration } = await loadConfiguration({ file, agent: 'a1' })
      assert.deepEqual(findings, [])
      assert.equal(configuration?.sinks[0]?.definition.alias, alias)
    }
  })
})
