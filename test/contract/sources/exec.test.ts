import { appendFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execSource } from '@millrace/agent-core/internal/sources/exec'
import { sourceContract } from '@millrace/testkit'
import { temporaryDirectory } from '../../support/temp-directory.js'

sourceContract({
  definition: execSource,
  tellsRefusal: false,
  open: () => {
    const file = join(temporaryDirectory(), 'lines')
    writeFileSync(file, '')
    return {
      settings: { command: `tail -n +1 -f ${file}`, batchTimeout: '10' },
      leave: (bodies) => appendFileSync(file, bodies.map((body) => `${body}\n`).join('')),
    }
  },
})
