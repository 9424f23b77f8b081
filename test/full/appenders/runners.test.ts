import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { repository } from '../../support/repository.js'

const run = promisify(execFile)

/** The runners that are not ours to install with everything else. */
const RUNNERS = { jest: '30.5.2', vitest: '4.1.12' } as const
const PACKAGES = [
  'packages/runtime',
  'packages/event',
  'packages/component',
  'packages/rpc',
  'packages/wal',
  'packages/appender',
  'packages/testkit',
  'appenders/winston',
]

/** Runs npm, wherever it is. */
async function npm(args: readonly string[], cwd: string): Promise<void> {
  const path = process.env['npm_execpath']
  const [program, first] = path?.endsWith('.js') ? [process.execPath, [path]] : ['npm', []]
  await run(program, [...first, ...args], { cwd })
}

/** A folder with the runners, made once for each choice of versions. */
async function installed(): Promise<string> {
  const versions = Object.entries(RUNNERS).map(([name, version]) => `${name}@${version}`)
  const place = join(repository, '.full', `runners-${versions.join('-')}`)
  if (existsSync(join(place, 'done'))) return place
  mkdirSync(place, { recursive: true })
  writeFileSync(join(place, 'package.json'), '{ "private": true }\n')
  await npm(
    ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error', ...versions],
    place,
  )
  writeFileSync(join(place, 'done'), '')
  return place
}

/** A test of an application's logging, in the words that all runners share. */
const body = (assertEqual: string) => `
  const receiver = await mockReceiver()
  receiver.script(['fail', { response: 'keep-then-drop', delayMs: 5 }])
  const transport = new MillraceTransport({ hosts: [receiver.address], diagnostics: 'off', backoff: { minMs: 1, maxMs: 5 } })
  winston.createLogger({ transports: [transport] }).warn('disk is filling up')
  await transport.flush()
  const [event] = await receiver.waitFor(2)
  ${assertEqual}
  await transport.close()
  await receiver.close()`

const IMPORTS = `
import { mockReceiver } from '@millrace/testkit/receiver'
import { MillraceTransport } from '@millrace/winston'
import winston from 'winston'`
const REQUIRES = `
const { mockReceiver } = require('@millrace/testkit/receiver')
const { MillraceTransport } = require('@millrace/winston')
const winston = require('winston')`
const EQUAL = `assert.match(event.text, /disk is filling up/)`
const EXPECT = `expect(event.text).toMatch(/disk is filling up/)`

describe('mockReceiver of the packed package', function () {
  this.timeout(180_000)
  let place = ''
  let runners = ''

  before(async () => {
    runners = await installed()
    mkdirSync(join(repository, 'test', 'dist'), { recursive: true })
    // Inside the repository, so that winston is found above; ours are the packed ones.
    place = mkdtempSync(join(repository, 'test', 'dist', 'runners-'))
    await npm(
      ['pack', '--silent', '--pack-destination', place, ...PACKAGES.map((name) => `./${name}`)],
      repository,
    )
    const modules = join(place, 'node_modules')
    for (const file of readdirSync(place)) {
      const name = /^millrace-(.*)-\d+\.\d+\.\d+.*\.tgz$/.exec(file)?.[1]
      if (name === undefined) continue
      const target = join(modules, '@millrace', name)
      mkdirSync(target, { recursive: true })
      execFileSync('tar', ['-xzf', join(place, file), '-C', target, '--strip-components=1'])
    }
    for (const name of Object.keys(RUNNERS)) {
      symlinkSync(join(runners, 'node_modules', name), join(modules, name))
    }
    writeFileSync(join(place, 'package.json'), '{ "private": true }\n')
  })
  after(() => rmSync(place, { recursive: true, force: true }))

  /** Runs a test file with a program of a runner; it must tell that one test has passed. */
  async function passes(
    file: string,
    source: string,
    program: readonly string[],
    env: Record<string, string> = {},
  ): Promise<void> {
    const directory = mkdtempSync(join(place, 'case-'))
    writeFileSync(join(directory, file), source)
    writeFileSync(join(directory, 'package.json'), '{ "private": true }\n')
    const { stdout, stderr } = await run(process.execPath, [...program], {
      cwd: directory,
      env: { ...process.env, CI: '1', FORCE_COLOR: '0', NO_COLOR: '1', ...env },
    })
    assert.match(`${stdout}${stderr}`, /1 pass(ed|ing)/)
  }

  const mocha = join(repository, 'node_modules', 'mocha', 'bin', 'mocha.js')
  const jest = () => join(runners, 'node_modules', 'jest', 'bin', 'jest.js')
  const vitest = () => join(runners, 'node_modules', 'vitest', 'vitest.mjs')

  it('works in mocha, as ESM and as CommonJS', async () => {
    const test = `it('ships', async () => {${body(EQUAL)} })`
    await passes('a.test.mjs', `import assert from 'node:assert'${IMPORTS}\n${test}`, [
      mocha,
      'a.test.mjs',
    ])
    await passes('a.test.cjs', `const assert = require('node:assert')${REQUIRES}\n${test}`, [
      mocha,
      'a.test.cjs',
    ])
  })

  it('works in Jest, as CommonJS and as ESM', async () => {
    const test = `test('ships', async () => {${body(EXPECT)} })`
    const config = JSON.stringify({ testMatch: ['**/*.test.?(c|m)js'], transform: {} })
    await passes('a.test.cjs', `${REQUIRES}\n${test}`, [jest(), '--config', config])
    await passes('a.test.mjs', `${IMPORTS}\n${test}`, [
      '--experimental-vm-modules',
      jest(),
      '--config',
      config,
    ])
  })

  it('works in Vitest', async () => {
    const test = `test('ships', async () => {${body(EXPECT)} })`
    await passes('a.test.mjs', `import { expect, test } from 'vitest'${IMPORTS}\n${test}`, [
      vitest(),
      'run',
      '--root',
      '.',
    ])
  })
})
