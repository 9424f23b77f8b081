// npm run test:full: what needs more than Node and npm, or much time. It installs and starts what it needs, and fails
// where it can't; nothing is skipped.
//   1. every test of npm test on the other supported lines of Node
//   2. the tests of test/full
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build, install, root } from './bootstrap.mjs'

/** The lines of Node that are supported beside the oldest; the npm registry carries their binaries. */
const NODE_VERSIONS = ['22.23.3', '24.21.0']

install()
build()

/** Path of a Node binary of that version, installed under .full/ when missing. */
function nodeBinary(version) {
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`
  const place = join(root, '.full', `node-${version}`)
  const binary = join(
    place,
    'node_modules',
    name,
    'bin',
    process.platform === 'win32' ? 'node.exe' : 'node',
  )
  if (!existsSync(binary)) {
    mkdirSync(place, { recursive: true })
    writeFileSync(join(place, 'package.json'), '{ "private": true }\n')
    const npm = process.env.npm_execpath
    const args = [
      'install',
      '--no-save',
      '--no-audit',
      '--no-fund',
      '--loglevel=error',
      `${name}@${version}`,
    ]
    const [program, first] = npm?.endsWith('.js') ? [process.execPath, [npm]] : ['npm', []]
    const result = spawnSync(program, [...first, ...args], { cwd: place, stdio: ['ignore', 2, 2] })
    if (result.status !== 0 || !existsSync(binary))
      throw new Error(`Node ${version} cannot be installed`)
  }
  return binary
}

let passed = 0
let failed = 0
let isOk = true

const minutesOf = []

/** Runs one suite, shows what it prints, and adds its closing line to the total. */
function suite(title, program, args) {
  console.log(`\n=== ${title}\n`)
  const beganMs = performance.now()
  const result = spawnSync(program, args, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  // The suites' own totals are taken out, so that the last line here is the only one of its form.
  const total = /^(\d+) passed, (\d+) failed(, \d+ skipped)?\n?$/m.exec(result.stdout)
  process.stdout.write(
    total ? result.stdout.replace(total[0], `(${total[0].trim()})\n`) : result.stdout,
  )
  const minutes = ((performance.now() - beganMs) / 60_000).toFixed(1)
  minutesOf.push(`${minutes.padStart(6)} min  ${title}`)
  passed += Number(total?.[1] ?? 0)
  failed += Number(total?.[2] ?? 0)
  if (result.status !== 0 || !total || total[3]) {
    isOk = false
    if (total?.[3]) console.error(`${title}: nothing may be skipped here`)
  }
}

const runner = join(root, 'scripts', 'test.mjs')
for (const version of NODE_VERSIONS) suite(`Node ${version}`, nodeBinary(version), [runner])
const full = join(root, 'test', 'dist', 'full')
if (
  existsSync(full) &&
  readdirSync(full, { recursive: true }).some((file) => file.endsWith('.test.js'))
) {
  suite('beyond Node and npm', process.execPath, [
    runner,
    '--kind',
    'full',
    '--timeout=300000',
    '--reporter-option=minutes=1',
  ])
}

for (const line of minutesOf) console.log(line)
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = isOk && failed === 0 ? 0 : 1
