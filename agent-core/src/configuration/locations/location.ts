/** Where a configuration stands: a file or a web address, read now and looked at again later. */
import { readFile, stat } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { ConfigurationError, messageOf } from '@millrace/runtime'
import { type ConfigurationDocument, formatOf } from '../documents/document.js'
import { type BasicCredentials, fetchIfNew, type Validators, withoutPassword } from './http.js'

export type LocationState = 'same' | 'changed' | 'gone'

export interface Location {
  /** As findings and logs show it. */
  readonly name: string
  /** Whether it differs from what was accepted last. */
  look(): Promise<LocationState>
  /**
   * What is there now.
   * @throws ConfigurationError `MILLRACE_CONFIG_UNREADABLE`.
   */
  read(): Promise<ConfigurationDocument>
  /** Makes what was read last the version to compare with. */
  accept(): void
}

/** @throws ConfigurationError `MILLRACE_CONFIG_UNREADABLE` for an address that cannot be read. */
export function locationOf(given: string, credentials?: BasicCredentials): Location {
  if (isWebAddress(given)) return new WebLocation(given, credentials)
  const scheme = /^([a-z][a-z0-9+.-]+):\/?\/?/i.exec(given)?.[1]?.toLowerCase()
  if (scheme === 'file') return new FileLocation(fileURLToPath(given))
  if (scheme === 'classpath') {
    throw new ConfigurationError(
      'MILLRACE_CONFIG_UNREADABLE',
      `The configuration ${given} cannot be read: there is no class path here; give the file`,
    )
  }
  return new FileLocation(given)
}

export const isWebAddress = (given: string): boolean => /^https?:\/\//i.test(given)

/** What tells two versions of a file apart. */
interface FileVersion {
  readonly modifiedNs: bigint
  readonly size: bigint
}

class FileLocation implements Location {
  readonly name: string
  #accepted: FileVersion | undefined
  #read: FileVersion | undefined

  constructor(path: string) {
    this.name = path
  }

  async look(): Promise<LocationState> {
    const version = await this.#version()
    if (version === undefined) return 'gone'
    return isNewer(version, this.#accepted) ? 'changed' : 'same'
  }

  async read(): Promise<ConfigurationDocument> {
    // Before the file is read, so that a change made meanwhile is newer.
    this.#read = await this.#version()
    try {
      const bytes = await readFile(this.name)
      return { name: this.name, bytes, format: formatOf(this.name) }
    } catch (error) {
      throw new ConfigurationError(
        'MILLRACE_CONFIG_UNREADABLE',
        `The configuration ${this.name} cannot be read: ${messageOf(error)}`,
        { cause: error },
      )
    }
  }

  accept(): void {
    this.#accepted = this.#read
  }

  async #version(): Promise<FileVersion | undefined> {
    const found = await stat(this.name, { bigint: true }).catch(() => undefined)
    return found && { modifiedNs: found.mtimeNs, size: found.size }
  }
}

/** Flume's rule: a newer time. Two writes within one tick of the file system's clock differ by size at least. */
function isNewer(version: FileVersion, accepted: FileVersion | undefined): boolean {
  if (accepted === undefined) return true
  if (version.modifiedNs === accepted.modifiedNs) return version.size !== accepted.size
  return version.modifiedNs > accepted.modifiedNs
}

interface WebVersion {
  readonly body: Buffer
  readonly validators: Validators
}

class WebLocation implements Location {
  readonly name: string
  readonly #address: string
  readonly #credentials: BasicCredentials | undefined
  #accepted: WebVersion | undefined
  #latest: WebVersion | undefined

  constructor(address: string, credentials: BasicCredentials | undefined) {
    const url = new URL(address)
    const own = url.username && { user: url.username, password: url.password }
    this.name = withoutPassword(address)
    url.username = ''
    url.password = ''
    this.#address = url.href
    this.#credentials = own
      ? {
          user: decodeURIComponent(own.user),
          password: decodeURIComponent(own.password),
        }
      : credentials
  }

  async look(): Promise<LocationState> {
    try {
      await this.#fetch()
    } catch (error) {
      if (error instanceof ConfigurationError) return 'gone'
      throw error
    }
    const { body } = this.#latest ?? { body: undefined }
    return body && this.#accepted?.body.equals(body) ? 'same' : 'changed'
  }

  async read(): Promise<ConfigurationDocument> {
    const format = formatOf(this.#address)
    if (format === 'javascript') {
      throw new ConfigurationError(
        'MILLRACE_CONFIG_UNREADABLE',
        `The configuration ${this.name} cannot be read: code is not run from a web address`,
      )
    }
    const { body } = await this.#fetch()
    return { name: this.name, bytes: body, format }
  }

  accept(): void {
    this.#accepted = this.#latest
  }

  async #fetch(): Promise<WebVersion> {
    const known = this.#latest
    const fetched = await fetchIfNew(this.#address, known?.validators, this.#credentials)
    if (!fetched.isNew && known) return known
    const { body, validators } = fetched.isNew
      ? fetched
      : { body: Buffer.alloc(0), validators: { etag: undefined, lastModified: undefined } }
    this.#latest = { body, validators }
    return this.#latest
  }
}
