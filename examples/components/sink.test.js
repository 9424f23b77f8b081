import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sinkContract } from '@millrace/testkit'
import definition from './sink.js'

sinkContract({
  definition,
  open() {
    const directory = mkdtempSync(join(tmpdir(), 'sink-'))
    const file = join(directory, 'events')
    return {
      settings: { file },
      arrived: () => readFileSync(file, 'utf8').split('\n').slice(0, -1),
      close: () => rmSync(directory, { recursive: true }),
    }
  },
})
