// Installs and builds what is missing. Dependency-free: it runs on a fresh clone, before any package is there.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = dirname(dirname(fileURLToPath(import.meta.url)))

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`Millrace needs Node 20.19 or newer; this is ${process.version}.`)
  process.exit(2)
}

/** Runs a command with this terminal; ends this process with its code if it fails. */
export function run(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options })
  if (result.error) throw result.error
  if (result.status !== 0) process.exit(result.status ?? 1)
}

/** True when node_modules holds what package-lock.json asks for. */
function isInstalled() {
  const marker = join(root, 'node_modules', '.package-lock.json')
  if (!existsSync(marker)) return false
  return (
    statSync(marker).mtimeMs >= statSync(join(root, 'package-lock.json')).mtimeMs ||
    sameLock(marker)
  )
}

function sameLock(marker) {
  const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages ?? {}
  const have = JSON.parse(readFileSync(marker, 'utf8')).packages ?? {}
  return Object.entries(wanted).every(
    ([path, entry]) =>
      path === '' ||
      entry.link ||
      entry.optional ||
      entry.peer ||
      !path.includes('node_modules') ||
      have[path]?.version === entry.version,
  )
}

/** Installs the locked dependencies when they are missing or out of date. */
export function install() {
  if (isInstalled()) return
  const npm = process.env.npm_execpath
  console.error('Installing dependencies (npm ci) …')
  if (npm?.endsWith('.js'))
    run(process.execPath, [npm, 'ci', '--no-audit', '--no-fund', '--loglevel=error'], {
      stdio: ['ignore', 2, 2],
    })
  else
    run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
      stdio: ['ignore', 2, 2],
      shell: process.platform === 'win32',
    })
}

/** Compiles every package; a second call with nothing changed costs about a second. */
export function build() {
  run(process.execPath, [join(root, 'scripts', 'build.mjs')], { stdio: ['ignore', 2, 2] })
}
