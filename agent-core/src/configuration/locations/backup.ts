/** A copy of the configuration that was loaded last, for a start while its own place cannot be read. */
import { chmod, mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { replaceFile } from '../../files/replace-file.js'
import type { ConfigurationDocument } from '../documents/document.js'
import { writeProperties } from '../documents/write-properties.js'
import type { PropertyEntry } from '../properties.js'

export interface ConfigurationBackupOptions {
  readonly directory: string
  readonly agent: string
}

export class ConfigurationBackup {
  readonly #directory: string
  /** As Flume calls it. */
  readonly #file: string

  constructor({ directory, agent }: ConfigurationBackupOptions) {
    this.#directory = directory
    this.#file = join(directory, `.${agent}.properties`)
  }

  /** Keeps the entries as they are written: what references stand for is not in the copy. */
  async write(entries: readonly PropertyEntry[]): Promise<void> {
    await mkdir(this.#directory, { recursive: true })
    const last = new Map(entries.map(({ key, value }) => [key, value]))
    const text = writeProperties([...last].map(([key, value]) => ({ key, value })))
    await replaceFile(this.#file, text)
    await chmod(this.#file, 0o600)
  }

  /** Undefined when there is no copy. */
  async read(): Promise<ConfigurationDocument | undefined> {
    const bytes = await readFile(this.#file).catch(() => undefined)
    return bytes && { name: this.#file, bytes, format: 'properties' }
  }
}
