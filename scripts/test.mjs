// npm test: installs and builds what is missing, then runs mocha on the compiled tests.
//   npm test                    every kind that needs nothing but Node
//   npm test -- rpc             only the files whose path contains "rpc"
//   npm test -- --kind unit     only one kind (a folder of test/)
import { readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { spawnSync } from 'node:child_process'
import { dirname, join, relative } from 'node:path'
import { build, install, root } from './bootstrap.mjs'

/** The folders of test/ and what may be in them. A file that matches none fails the run: it would never be run. */
const KINDS = ['unit', 'contract', 'property', 'integration', 'interop', 'fault', 'package', 'tidy']
/** Run by npm run test:full only: they need more than Node and npm, or much time. */
const FULL_KINDS = ['full']
/** Not tests: helpers, programs that tests start, benchmarks. */
const OTHERS = ['support', 'bench']

install()
build()

const dist = join(root, 'test', 'dist')
const files = readdirSync(dist, { recursive: true })
  .map((name) => relative(dist, join(dist, name)).replaceAll('\\', '/'))
  .filter((name) => name.endsWith('.js'))
const isTest = (name) => name.endsWith('.test.js')
const kindOf = (name) => name.split('/')[0]
const lost = files.filter((name) =>
  isTest(name) ? ![...KINDS, ...FULL_KINDS].includes(kindOf(name)) : !OTHERS.includes(kindOf(name)),
)
if (lost.length > 0) {
  console.error(
    `These files of test/ are neither a *.test.ts of a known kind nor support or bench:\n  ${lost.join('\n  ')}`,
  )
  process.exit(1)
}

const args = process.argv.slice(2)
let kinds = KINDS
const filters = []
const mochaArgs = []
for (let i = 0; i < args.length; i += 1) {
  if (args[i] === '--kind') kinds = [args[++i]]
  else if (args[i]?.startsWith('--')) mochaArgs.push(args[i])
  else filters.push(args[i])
}
const chosen = files
  .filter((name) => isTest(name) && kinds.includes(kindOf(name)))
  .filter((name) => filters.every((filter) => name.includes(filter)))
  .sort((a, b) => kinds.indexOf(kindOf(a)) - kinds.indexOf(kindOf(b)) || (a < b ? -1 : 1))
  .map((name) => join(dist, name))
if (chosen.length === 0) {
  console.error('No test file matches.')
  process.exit(1)
}

const require = createRequire(join(root, 'test', 'package.json'))
const mocha = join(dirname(require.resolve('mocha/package.json')), 'bin', 'mocha.js')
const result = spawnSync(
  process.execPath,
  [
    '--enable-source-maps',
    mocha,
    '--reporter',
    join(root, 'scripts', 'mocha-reporter.mjs'),
    '--require',
    join(dist, 'support', 'seed.js'),
    '--timeout',
    '20000',
    // Most of the time of a test is waiting. Two processes, and no more: the machines that run them have two cores.
    ...(chosen.length > 1 ? ['--parallel', '--jobs', '2'] : []),
    ...mochaArgs,
    ...chosen,
  ],
  { cwd: join(root, 'test'), stdio: 'inherit' },
)
process.exitCode = result.status ?? 1
