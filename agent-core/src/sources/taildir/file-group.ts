import { basename, dirname, resolve } from 'node:path'
import { encodeHeaders } from '../body-slices.js'
import { namePattern } from '../name-pattern.js'

export interface FileGroupOptions {
  readonly name: string
  /** A directory, and behind the last slash a regular expression for names in it. */
  readonly path: string
  /** Headers of all events of the group. */
  readonly headers: Readonly<Record<string, string>>
  /** The header that gets a file's path, if there is one. */
  readonly fileHeaderKey: string | undefined
}

/** Files that one `filegroups` line names. */
export class FileGroup {
  readonly name: string
  readonly directory: string
  readonly #pattern: RegExp
  readonly #options: FileGroupOptions

  /** @throws ConfigurationError when the expression is none. */
  constructor(options: FileGroupOptions) {
    const path = resolve(dirname(options.path))
    this.name = options.name
    this.directory = path
    this.#pattern = namePattern(basename(options.path))
    this.#options = options
  }

  hasName(name: string): boolean {
    return this.#pattern.test(name)
  }

  /** The encoded headers of the events of a file. */
  headersOf(path: string): Buffer {
    const { headers, fileHeaderKey } = this.#options
    return encodeHeaders(
      fileHeaderKey === undefined ? headers : { ...headers, [fileHeaderKey]: path },
    )
  }
}
