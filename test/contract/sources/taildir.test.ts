import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { taildirSource } from '@millrace/agent-core/internal/sources/taildir'
import { sourceContract } from '@millrace/testkit'
import { fastClock } from '../../support/fast-clock.js'
import { temporaryDirectory } from '../../support/temp-directory.js'

sourceContract({
  definition: taildirSource,
  counts: [
    'eventReceivedCount',
    'eventAcceptedCount',
    'appendBatchReceivedCount',
    'appendBatchAcceptedCount',
  ],
  tellsRefusal: false,
  clock: fastClock(10_000),
  open: () => {
    const directory = temporaryDirectory()
    const file = join(directory, 'a.log')
    return {
      settings: {
        filegroups: 'f1',
        'filegroups.f1': `${directory}/.*\\.log`,
        positionFile: join(directory, 'positions.json'),
      },
      leave: (bodies) => appendFileSync(file, bodies.map((body) => `${body}\n`).join('')),
    }
  },
})
