import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorContract } from '@millrace/testkit'
import definition from './monitor.js'

monitorContract({
  definition,
  open() {
    const directory = mkdtempSync(join(tmpdir(), 'monitor-'))
    const file = join(directory, 'counters')
    return {
      settings: { file },
      shown: () => readFileSync(file, 'utf8'),
      close: () => rmSync(directory, { recursive: true }),
    }
  },
})
