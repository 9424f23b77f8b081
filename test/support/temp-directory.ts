import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const made: string[] = []

process.once('exit', () => {
  for (const path of made) rmSync(path, { recursive: true, force: true })
})

/** A new empty directory, removed when the test process ends. */
export function temporaryDirectory(): string {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'millrace-test-')))
  made.push(path)
  return path
}
