import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { repository } from '../../support/repository.js'

const directory = join(repository, 'examples', 'components')

// Each declares its suite as soon as it is loaded.
for (const file of readdirSync(directory).filter((name) => name.endsWith('.test.js')))
  await import(pathToFileURL(join(directory, file)).href)
