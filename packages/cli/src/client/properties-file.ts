import { readFile } from 'node:fs/promises'
import { parseProperties } from '@millrace/agent-core'
import { UsageError } from '../exit-code.js'

/** The keys and values of a Java properties file; of a key that stands twice the last value. */
export async function readPropertiesFile(file: string): Promise<Readonly<Record<string, string>>> {
  try {
    const entries = parseProperties(await readFile(file))
    return Object.fromEntries(entries.map(({ key, value }) => [key, value]))
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new UsageError(`${file} cannot be read: ${reason}`)
  }
}
