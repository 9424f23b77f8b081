import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { Command, type Finished, millraceFile } from '../../support/command.js'
import { repository } from '../../support/repository.js'

interface Block {
  readonly language: string
  /** The name that the page gives the file: ```js file=x.js */
  readonly file: string | undefined
  readonly text: string
}

function blocksOf(page: string): readonly Block[] {
  const text = readFileSync(join(repository, page), 'utf8')
  const found = text.matchAll(/^```(\w+)(?: file=(\S+))?\n([^]*?)^```$/gm)
  return [...found].map(([, language = '', file, block = '']) => ({ language, file, text: block }))
}

describe('the pages about tests and components', function () {
  this.timeout(30_000)
  let folder: string

  beforeEach(() => {
    // Inside the repository, where the packages that the blocks import are found.
    folder = mkdtempSync(join(repository, 'test', 'dist', 'pages-'))
  })

  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  function run(file: string, ...args: string[]): Promise<Finished> {
    return new Command([file, ...args], { cwd: folder, stdin: '' }).finished
  }

  for (const [page, shown] of [
    ['packages/event/README.md', ['WARN', 'web-1', 'eu-1', 'disk is filling up']],
    ['packages/runtime/README.md', ['delivered']],
    ['packages/testkit/README.md', ['INFO', 'hello']],
    ['docs/reference/testkit.md', ['ping', 'kept']],
  ] as const) {
    it(`${page} has programs that run and print what it says`, async () => {
      const programs = blocksOf(page).filter((block) => block.language === 'js')
      assert.ok(programs.length > 0)
      let printed = ''
      for (const [i, { text }] of programs.entries()) {
        const file = join(folder, `program-${i}.mjs`)
        writeFileSync(file, text)
        const { stdout, stderr, code } = await run(file)
        assert.equal(code, 0, stderr)
        printed += stdout
      }
      for (const text of shown) assert.ok(printed.includes(text), `${text} in ${printed}`)
    })
  }

  it('docs/guides/custom-components.md has a sink that keeps its contract and passes the check', async () => {
    for (const { file, text } of blocksOf('docs/guides/custom-components.md')) {
      if (file !== undefined) writeFileSync(join(folder, file), text)
    }
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
    const mocha = createRequire(import.meta.url).resolve('mocha/package.json')
    const suite = await run(join(dirname(mocha), 'bin', 'mocha.js'), 'webhook-sink.test.js')
    assert.equal(suite.code, 0, suite.stdout + suite.stderr)
    assert.match(suite.stdout, /2\d passing/)
    const check = await run(millraceFile, 'check', '-n', 'a1', '-f', 'agent.properties')
    assert.equal(check.code, 0, check.stdout + check.stderr)
  })
})
