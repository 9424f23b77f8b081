// Removes everything that the build made.
import { readFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
for (const { path } of JSON.parse(readFileSync(join(root, 'tsconfig.json'), 'utf8')).references) {
  rmSync(join(root, path.endsWith('.json') ? dirname(path) : path, 'dist'), {
    recursive: true,
    force: true,
  })
}
