import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { repository } from '../support/repository.js'

const run = promisify(execFile)
const require = createRequire(import.meta.url)

/** What applications load: each ships ESM and CommonJS. The value is something it exports. */
const LIBRARIES: readonly { readonly directory: string; readonly exports: string }[] = [
  { directory: 'packages/runtime', exports: 'MillraceError' },
  { directory: 'packages/event', exports: 'EventBatch' },
  { directory: 'packages/rpc', exports: 'AvroRpcServer' },
  { directory: 'packages/appender', exports: 'Appender' },
  { directory: 'appenders/winston', exports: 'MillraceTransport' },
  { directory: 'appenders/log4js', exports: 'configure' },
  { directory: 'appenders/pino', exports: 'createDestination' },
]

const bin = (name: string, file: string) =>
  join(dirname(require.resolve(`${name}/package.json`)), file)

describe('packed libraries', function () {
  this.timeout(120_000)
  let place = ''
  const tarballs = new Map<string, string>()
  const nameOf = (directory: string): string =>
    JSON.parse(readFileSync(join(repository, directory, 'package.json'), 'utf8')).name

  before(async () => {
    // Inside the repository, so that packages from the registry are found above; ours are the packed ones.
    mkdirSync(join(repository, 'test', 'dist'), { recursive: true })
    place = mkdtempSync(join(repository, 'test', 'dist', 'packed-'))
    const npm = process.env['npm_execpath']
    const [program, first] = npm?.endsWith('.js') ? [process.execPath, [npm]] : ['npm', []]
    const args = LIBRARIES.map(({ directory }) => `./${directory}`)
    await run(program, [...first, 'pack', '--silent', '--pack-destination', place, ...args], {
      cwd: repository,
    })
    for (const { directory } of LIBRARIES) {
      const name = nameOf(directory)
      const file = readdirSync(place).find((each) =>
        each.startsWith(`${name.slice(1).replace('/', '-')}-`),
      )
      assert.ok(file, `${name} is packed`)
      tarballs.set(name, join(place, file))
      const target = join(place, 'node_modules', name)
      mkdirSync(target, { recursive: true })
      execFileSync('tar', ['-xzf', join(place, file), '-C', target, '--strip-components=1'])
    }
    writeFileSync(join(place, 'package.json'), '{ "private": true }\n')
  })
  after(() => rmSync(place, { recursive: true, force: true }))

  for (const { directory, exports: exported } of LIBRARIES) {
    const name = nameOf(directory)

    it(`${name} is loaded by import, by the packed copy`, async () => {
      const file = join(place, `import-${directory.replace('/', '-')}.mjs`)
      writeFileSync(
        file,
        `import * as library from '${name}'\nimport { fileURLToPath } from 'node:url'\n` +
          `console.log(typeof library['${exported}'], fileURLToPath(import.meta.resolve('${name}')))\n`,
      )
      const { stdout } = await run(process.execPath, [file])
      assert.match(stdout, /^function /)
      assert.ok(stdout.includes(place), stdout)
    })

    it(`${name} is loaded by require, by the packed copy`, async () => {
      const file = join(place, `require-${directory.replace('/', '-')}.cjs`)
      writeFileSync(
        file,
        `const library = require('${name}')\nconsole.log(typeof library['${exported}'], require.resolve('${name}'))\n`,
      )
      const { stdout } = await run(process.execPath, [file])
      assert.match(stdout, /^function /)
      assert.ok(stdout.includes(place), stdout)
      assert.match(stdout, /cjs/)
    })

    it(`${name} has nothing that publint objects to`, async () => {
      const { publint } = await import('publint')
      const { messages } = await publint({
        pkgDir: join(place, 'node_modules', name),
        pack: false,
        strict: true,
      })
      assert.deepEqual(messages, [])
    })

    it(`${name} has types that resolve in every mode`, async () => {
      const attw = bin('@arethetypeswrong/cli', 'dist/index.js')
      const { stdout } = await run(
        process.execPath,
        [attw, tarballs.get(name) ?? '', '--no-color', '--format', 'ascii'],
        {
          cwd: place,
        },
      ).catch((error: { stdout: string }) => ({ stdout: error.stdout }))
      assert.match(stdout, /No problems found/, stdout)
    })

    it(`${name} packs no source, test or build state`, () => {
      const list = execFileSync('tar', ['-tzf', tarballs.get(name) ?? ''], { encoding: 'utf8' })
        .trim()
        .split('\n')
      assert.deepEqual(
        list.filter(
          (file) =>
            !/^package\/(package\.json|README\.md|LICENSE|dist\/.*\.(js|d\.ts)|dist\/cjs\/package\.json)$/.test(
              file,
            ),
        ),
        [],
      )
    })
  }

  it('are typed for TypeScript in ESM and CommonJS', async () => {
    const uses = [
      `import { MillraceTransport } from '@millrace/winston'`,
      `import { createDestination } from '@millrace/pino'`,
      `import { flush } from '@millrace/log4js'`,
      `import { EventBatch } from '@millrace/event'`,
      `export const transport: MillraceTransport = new MillraceTransport({ hosts: ['127.0.0.1:41414'] })`,
      `export const flushed: Promise<boolean> = transport.flush({ timeoutMs: 100 })`,
      `export const destination = createDestination({ hosts: ['127.0.0.1:41414'] })`,
      `export const all: Promise<boolean> = flush()`,
      `export const size: number = EventBatch.of([{ body: 'x' }]).size`,
      `// @ts-expect-error an unknown option`,
      `new MillraceTransport({ hosts: ['127.0.0.1:41414'], hostz: 1 })`,
    ].join('\n')
    for (const extension of ['mts', 'cts'])
      writeFileSync(join(place, `uses.${extension}`), `${uses}\n`)
    const options = {
      strict: true,
      noEmit: true,
      module: 'nodenext',
      target: 'es2022',
      skipLibCheck: false,
      types: ['node'],
    }
    writeFileSync(
      join(place, 'tsconfig.json'),
      JSON.stringify({ compilerOptions: options, files: ['uses.mts', 'uses.cts'] }),
    )
    const { stdout } = await run(process.execPath, [
      bin('typescript', 'bin/tsc'),
      '-p',
      place,
    ]).catch((error: { stdout: string }) => ({ stdout: error.stdout }))
    assert.equal(stdout, '')
  })
})
