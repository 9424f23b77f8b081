import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Command } from '../../support/command.js'
import { repository } from '../../support/repository.js'
import { temporaryDirectory } from '../../support/temp-directory.js'

const demo = (...words: string[]) =>
  new Command([join(repository, 'examples', 'demo', 'main.mjs'), ...words], { stdin: '' }).finished

/** The columns of an application's row. */
function row(text: string, application: string): string[] {
  const line = text.split('\n').find((each) => each.startsWith(application))
  return line?.trim().split(/ +/).slice(1) ?? []
}

describe('the demo', function () {
  this.timeout(60_000)
  const directory = temporaryDirectory()

  it('loses nothing while one of its two agents is killed and started again', async () => {
    const { code, stdout, stderr } = await demo(
      '--events',
      '300',
      '--seconds',
      '2',
      '--dir',
      directory,
    )
    assert.equal(code, 0, stdout + stderr)
    assert.match(stdout, /Agent a2 is killed \(SIGKILL\)[^]*Agent a2 runs again/)
    assert.match(stdout, /lost 0\./)
    for (const application of ['winston', 'log4js', 'pino']) {
      const [accepted, delivered, , dropped, stored, , lost] = row(stdout, application)
      assert.deepEqual(
        [accepted, delivered, dropped, stored, lost],
        ['300', '300', '0', '300', '0'],
        stdout,
      )
    }
    for (const agent of ['a1', 'a2'])
      assert.ok(readdirSync(join(directory, 'stored', agent)).length > 0, `${agent} stored nothing`)
  })

  it('finds again what it found when only its audit is run', async () => {
    const { code, stdout } = await demo('--audit-only', directory)
    assert.equal(code, 0, stdout)
    assert.match(stdout, /900 numbers written down .*; lost 0\./)
  })

  it('fails when one stored line is missing', async () => {
    const line = `pino 150`
    for (const agent of ['a1', 'a2']) {
      for (const name of readdirSync(join(directory, 'stored', agent))) {
        const file = join(directory, 'stored', agent, name)
        const lines = readFileSync(file, 'utf8').split('\n')
        writeFileSync(file, lines.filter((each) => each !== line).join('\n'))
      }
    }
    const { code, stdout } = await demo('--audit-only', directory)
    assert.equal(code, 1, stdout)
    assert.match(stdout, /lost 1\./)
    assert.equal(row(stdout, 'pino').at(-1), '1')
  })

  it('fails when nothing was written down', async () => {
    const { code } = await demo('--audit-only', temporaryDirectory())
    assert.equal(code, 1)
  })
})
