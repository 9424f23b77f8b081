/**
 * How far files have been read, kept as Flume's TAILDIR source keeps it, so that either program can
 * go on where the other one stopped:
 *
 *     [{"inode":2146327,"pos":7,"file":"/var/log/app/a.log"}]
 *
 * Flume refuses keys that it does not know. What else tells one file from another (its device and
 * its first bytes) therefore stands in a second file beside it, `<positionFile>.identities`:
 *
 *     {"version":1,"files":[{"inode":"2146327","file":"/…","device":"66","headBytes":7,"headHash":"…",
 *       "group":"f1"}]}
 */
import { mkdir, readFile, rename, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { type Logger, messageOf } from '@millrace/runtime'
import { replaceFile } from '../../files/replace-file.js'
import type { FileHead } from './file-head.js'

/** One file and how far it has been read. */
export interface FilePosition {
  readonly inode: bigint
  readonly path: string
  /** Offset of the next byte to be read. */
  readonly position: number
  readonly identity: FileIdentity | undefined
}

export interface FileIdentity {
  readonly device: bigint
  readonly head: FileHead
  /** The group that it was found by. */
  readonly group: string
}

export interface StoredPositions {
  readonly positions: readonly FilePosition[]
  /** When the position file was written, in epoch milliseconds. */
  readonly writtenMs: number
}

const NOTHING: StoredPositions = { positions: [], writtenMs: 0 }
const IDENTITIES_SUFFIX = '.identities'
const DAMAGED_SUFFIX = '.damaged'

export class PositionFile {
  readonly #path: string
  readonly #logger: Logger
  #positionsText = ''
  #identitiesText = ''

  constructor(path: string, logger: Logger) {
    this.#path = path
    this.#logger = logger
  }

  /**
   * Reads what was stored. A file that is no position file is set aside, with an error in the log.
   * @throws an error of the system when a file is there and cannot be read.
   */
  async load(): Promise<StoredPositions> {
    await mkdir(dirname(this.#path), { recursive: true })
    const text = await this.#read(this.#path)
    // Flume empties the file when it knows no files.
    if (text === undefined || text.trim() === '') return NOTHING
    const entries = await this.#parse(this.#path, text, parsePositions)
    if (!entries) return NOTHING
    const path = this.#path + IDENTITIES_SUFFIX
    const identities = await this.#read(path)
    const known =
      identities === undefined ? [] : await this.#parse(path, identities, parseIdentities)
    const { mtimeMs } = await stat(this.#path)
    return {
      positions: entries.map((entry) => ({ ...entry, identity: identityOf(entry, known ?? []) })),
      writtenMs: mtimeMs,
    }
  }

  /**
   * Stores positions; resolves when the disk has them. Positions come first: with an older identity
   * beside it a newer position is at worst not used, and the file read again.
   */
  async save(positions: readonly FilePosition[]): Promise<void> {
    const text = `[${positions.map(positionText).join(',')}]`
    if (text !== this.#positionsText) await replaceFile(this.#path, text)
    this.#positionsText = text
    const identities = identitiesText(positions)
    if (identities === this.#identitiesText) return
    await replaceFile(this.#path + IDENTITIES_SUFFIX, identities)
    this.#identitiesText = identities
  }

  async #read(path: string): Promise<string | undefined> {
    try {
      return await readFile(path, 'utf8')
    } catch (error) {
      if (error instanceof Error && Reflect.get(error, 'code') === 'ENOENT') return undefined
      throw error
    }
  }

  async #parse<T>(path: string, text: string, parse: (text: string) => T): Promise<T | undefined> {
    try {
      return parse(text)
    } catch (error) {
      await rename(path, path + DAMAGED_SUFFIX)
      const kept = `it is kept as ${path}${DAMAGED_SUFFIX}, and files are read as if they were new`
      this.#logger.error(`${path} cannot be understood; ${kept}: ${messageOf(error)}`)
      return undefined
    }
  }
}

type PositionEntry = Omit<FilePosition, 'identity'>
interface IdentityEntry extends FileIdentity {
  readonly inode: bigint
  readonly path: string
}

function identityOf(
  { inode, path }: PositionEntry,
  identities: readonly IdentityEntry[],
): FileIdentity | undefined {
  const same = identities.filter((each) => each.inode === inode)
  return same.find((each) => each.path === path) ?? (same.length === 1 ? same[0] : undefined)
}

function parsePositions(text: string): readonly PositionEntry[] {
  return arrayOf(JSON.parse(quoteNumbers(text))).map((entry) => ({
    inode: BigInt(textOf(entry, 'inode')),
    path: textOf(entry, 'file'),
    position: countOf(entry, 'pos'),
  }))
}

function parseIdentities(text: string): readonly IdentityEntry[] {
  const parsed: unknown = JSON.parse(quoteNumbers(text))
  return arrayOf(Reflect.get(Object(parsed), 'files')).map((entry) => ({
    inode: BigInt(textOf(entry, 'inode')),
    path: textOf(entry, 'file'),
    device: BigInt(textOf(entry, 'device')),
    head: { bytes: countOf(entry, 'headBytes'), hash: textOf(entry, 'headHash') },
    group: textOf(entry, 'group'),
  }))
}

/** Inode numbers can be larger than what a JavaScript number holds exactly. */
function quoteNumbers(text: string): string {
  return text.replaceAll(/("(?:[^"\\]|\\.)*")|-?\d+/g, (all, string?: string) =>
    string === undefined ? `"${all}"` : all,
  )
}

function arrayOf(value: unknown): readonly object[] {
  if (!Array.isArray(value)) throw new TypeError('it is no array')
  return value.map((each: unknown) => Object(each) as object)
}

function textOf(entry: object, key: string): string {
  const value: unknown = Reflect.get(entry, key)
  if (typeof value !== 'string') throw new TypeError(`an entry has no ${key}`)
  return value
}

function countOf(entry: object, key: string): number {
  const value = Number(textOf(entry, key))
  if (!Number.isSafeInteger(value) || value < 0) throw new TypeError(`${key} is no offset`)
  return value
}

function positionText({ inode, position, path }: FilePosition): string {
  return `{"inode":${inode},"pos":${position},"file":${gsonString(path)}}`
}

/** As Flume's JSON library writes it, which escapes what has a meaning in HTML. */
function gsonString(text: string): string {
  return JSON.stringify(text).replaceAll(
    /[<>&='\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

function identitiesText(positions: readonly FilePosition[]): string {
  const files = positions.flatMap(({ inode, path, identity }) =>
    identity === undefined
      ? []
      : {
          inode: String(inode),
          file: path,
          device: String(identity.device),
          headBytes: identity.head.bytes,
          headHash: identity.head.hash,
          group: identity.group,
        },
  )
  return JSON.stringify({ version: 1, files })
}
