import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileRollSink } from '@millrace/agent-core/internal/sinks/file-roll'
import { sinkContract } from '@millrace/testkit'
import { temporaryDirectory } from '../../support/temp-directory.js'

sinkContract({
  definition: fileRollSink,
  open: () => {
    const directory = temporaryDirectory()
    return {
      settings: { 'sink.directory': directory },
      arrived: () =>
        readdirSync(directory)
          .toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true }))
          .flatMap((name) => readFileSync(join(directory, name), 'utf8').split('\n'))
          .filter((line) => line !== ''),
    }
  },
})
