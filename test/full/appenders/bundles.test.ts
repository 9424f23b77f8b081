import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type MockReceiver, mockReceiver } from '@millrace/testkit/receiver'
import { repository } from '../../support/repository.js'
import { temporaryDirectory } from '../../support/temp-directory.js'

const run = promisify(execFile)

/** An application with all three loggers, the two that need one as a module and pino in the process. */
const APPLICATION = `
import * as millrace from '@millrace/log4js'
import { createDestination } from '@millrace/pino'
import { MillraceTransport } from '@millrace/winston'
import log4js from 'log4js'
import { pino } from 'pino'
import winston from 'winston'

const hosts = [process.env.MILLRACE_HOSTS]
async function main() {
  const transport = new MillraceTransport({ hosts, compression: 'none' })
  winston.createLogger({ transports: [transport] }).info('of winston')
  log4js.configure({
    appenders: { m: { type: millrace, hosts } },
    categories: { default: { appenders: ['m'], level: 'info' } },
  })
  log4js.getLogger().info('of log4js')
  const destination = createDestination({ hosts })
  pino(destination).error(new Error('of pino', { cause: new Error('why') }))
  await Promise.all([transport.close(), millrace.close(), destination.close()])
}
void main()
`

async function withEsbuild(entry: string, file: string, format: 'esm' | 'cjs'): Promise<void> {
  const { build } = await import('esbuild')
  const require =
    "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);"
  const { errors } = await build({
    entryPoints: [entry],
    outfile: file,
    bundle: true,
    platform: 'node',
    format,
    minify: true,
    logLevel: 'silent',
    external: ['net-keepalive'],
    ...(format === 'esm' ? { banner: { js: require } } : {}),
  })
  assert.deepEqual(errors, [])
}

async function withWebpack(entry: string, file: string): Promise<void> {
  const { default: webpack } = await import('webpack')
  const compiler = webpack({
    mode: 'production',
    target: 'node20',
    entry,
    output: { path: join(file, '..'), filename: file.split('/').at(-1) ?? '' },
    externals: { 'net-keepalive': 'commonjs net-keepalive' },
    performance: false,
  })
  await new Promise<void>((resolve, reject) => {
    compiler?.run((error, stats) => {
      if (error) reject(error)
      else if (stats?.hasErrors() === true) reject(new Error(stats.toString('errors-only')))
      else compiler.close(() => resolve())
    })
  })
}

describe('a bundled application', function () {
  this.timeout(120_000)
  let receiver: MockReceiver
  /** Below test, so that the bundlers find the packages. */
  let place = ''
  before(async () => {
    receiver = await mockReceiver()
    place = mkdtempSync(join(repository, 'test', 'dist', 'bundle-'))
    writeFileSync(join(place, 'main.mjs'), APPLICATION)
  })
  after(async () => {
    rmSync(place, { recursive: true, force: true })
    await receiver.close()
  })
  beforeEach(() => receiver.clear())

  const bundlers: Record<string, (entry: string, directory: string) => Promise<string>> = {
    'esbuild, as ESM': async (entry, directory) => {
      const file = join(directory, 'out.mjs')
      await withEsbuild(entry, file, 'esm')
      return file
    },
    'esbuild, as CommonJS': async (entry, directory) => {
      const file = join(directory, 'out.cjs')
      await withEsbuild(entry, file, 'cjs')
      return file
    },
    webpack: async (entry, directory) => {
      const file = join(directory, 'out.cjs')
      await withWebpack(entry, file)
      return file
    },
  }
  for (const [name, bundle] of Object.entries(bundlers)) {
    it(`delivers from where there is no node_modules: ${name}`, async () => {
      const file = await bundle(join(place, 'main.mjs'), temporaryDirectory())
      const { stderr } = await run(process.execPath, [file], {
        cwd: join(file, '..'),
        env: { ...process.env, MILLRACE_HOSTS: receiver.address },
      })
      assert.equal(stderr, '')
      const texts = receiver.events.map(({ text }) => text.split('\n')[0] ?? '').toSorted()
      assert.deepEqual(texts, ['of log4js', 'of pino', '{"level":"info","message":"of winston"}'])
      const ofPino = receiver.events.find(({ text }) => text.startsWith('of pino'))
      assert.match(ofPino?.text ?? '', /Caused by: Error: why/)
    })
  }
})
