import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { spooldirSource } from '@millrace/agent-core/internal/sources/spooldir'
import { sourceContract } from '@millrace/testkit'
import { fastClock } from '../../support/fast-clock.js'
import { deserializer } from '../../support/spool-harness.js'
import { temporaryDirectory } from '../../support/temp-directory.js'

sourceContract({
  definition: spooldirSource,
  counts: [
    'eventReceivedCount',
    'eventAcceptedCount',
    'appendBatchReceivedCount',
    'appendBatchAcceptedCount',
  ],
  tellsRefusal: false,
  clock: fastClock(100_000),
  named: { createDeserializer: (input) => deserializer('LINE', {}, input) },
  open: () => {
    const directory = temporaryDirectory()
    let files = 0
    return {
      settings: { spoolDir: directory },
      leave: (bodies) => {
        files += 1
        const path = join(directory, `${String(files).padStart(3, '0')}.txt`)
        writeFileSync(path, bodies.map((body) => `${body}\n`).join(''))
      },
    }
  },
})
