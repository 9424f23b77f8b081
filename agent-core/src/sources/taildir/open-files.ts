import type { TailedFile } from './tailed-file.js'

/** Most descriptors that one source keeps open; beyond it the one that was used first is closed. */
const MAX_OPEN_FILES = 1_000

/** The open files of a source, the one that was used longest ago first. */
export class OpenFiles {
  readonly #files = new Set<TailedFile>()

  /** Notes that an open file was used. */
  async keep(file: TailedFile): Promise<void> {
    this.#files.delete(file)
    if (!file.isOpen) return
    this.#files.add(file)
    if (this.#files.size <= MAX_OPEN_FILES) return
    for (const first of this.#files) return this.close(first)
  }

  async close(file: TailedFile): Promise<void> {
    this.#files.delete(file)
    await file.close()
  }

  async closeAll(): Promise<void> {
    for (const file of this.#files) await this.close(file)
  }
}
