// Compiles all packages (tsc -b), removes outputs whose source is gone, and marks each CommonJS folder as such.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const projects = JSON.parse(readFileSync(join(root, 'tsconfig.json'), 'utf8')).references.map(
  (r) => r.path,
)

for (const path of projects) {
  const file = path.endsWith('.json') ? path : join(path, 'tsconfig.json')
  const options = JSON.parse(readFileSync(join(root, file), 'utf8')).compilerOptions
  const directory = join(root, dirname(file))
  const out = join(directory, options.outDir)
  if (existsSync(out)) removeStale(join(directory, options.rootDir), out, out)
  if (options.module === 'commonjs') {
    mkdirSync(out, { recursive: true })
    const marker = join(out, 'package.json')
    if (!existsSync(marker)) writeFileSync(marker, '{ "type": "commonjs" }\n')
  }
}

/** Removes each compiled file that no source stands for any more, so that no stale build is tested or packed. */
function removeStale(source, out, folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) removeStale(source, out, path)
    else {
      const match = /^(.*?)(\.d)?\.([cm]?[jt]s)(\.map)?$/.exec(relative(out, path))
      if (match && !existsSync(join(source, `${match[1]}.${match[3].replace('j', 't')}`)))
        rmSync(path)
    }
  }
}

const tsc = join(
  dirname(createRequire(import.meta.url).resolve('typescript/package.json')),
  'bin',
  'tsc',
)
// @millrace/log4js's two builds meet in one program of the tests, so its references can't lead to the CommonJS
// projects of its dependencies: these are built first.
const first = ['packages/appender/tsconfig.cjs.json', 'packages/testkit/tsconfig.cjs.json']
for (const targets of [first, []]) {
  const result = spawnSync(process.execPath, [tsc, '-b', ...targets, ...process.argv.slice(2)], {
    cwd: root,
    stdio: 'inherit',
  })
  process.exitCode = result.status ?? 1
  if (process.exitCode !== 0) break
}
