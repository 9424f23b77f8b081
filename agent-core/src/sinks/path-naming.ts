/** Names of a file_roll sink's files (Flume's PathManager). */
import { join } from 'node:path'
import type { Clock } from '@millrace/runtime'

export interface PathNaming {
  /** The path of the next file: another one at each call. */
  next(): string
}

export interface PathNamingOptions {
  readonly directory: string
  readonly prefix: string
  /** Without its dot; empty for none. */
  readonly extension: string
  readonly clock: Clock
}

/** Flume's names of path managers, with its class names. */
const PATH_MANAGERS = {
  DEFAULT: 'org.apache.flume.formatter.output.DefaultPathManager$Builder',
  ROLLTIME: 'org.apache.flume.formatter.output.RollTimePathManager$Builder',
} as const

export type PathNamingType = keyof typeof PATH_MANAGERS

/** The path manager that a value of `sink.pathManager` means; undefined when there is none. */
export function pathNamingType(value: string): PathNamingType | undefined {
  const types = Object.keys(PATH_MANAGERS) as PathNamingType[]
  return types.find((type) => type === value.toUpperCase() || PATH_MANAGERS[type] === value)
}

export function createPathNaming(type: PathNamingType, options: PathNamingOptions): PathNaming {
  return type === 'DEFAULT' ? new DefaultPathNaming(options) : new RollTimePathNaming(options)
}

function pathOf(options: PathNamingOptions, stamp: string | number, index: number): string {
  const extension = options.extension === '' ? '' : `.${options.extension}`
  return join(options.directory, `${options.prefix}${stamp}-${index}${extension}`)
}

/** `<prefix><epoch ms of the start>-<n>[.extension]`, n from 1 upward. */
class DefaultPathNaming implements PathNaming {
  readonly #options: PathNamingOptions
  readonly #startMs: number
  #index = 0

  constructor(options: PathNamingOptions) {
    this.#options = options
    this.#startMs = options.clock.now()
  }

  next(): string {
    this.#index += 1
    return pathOf(this.#options, this.#startMs, this.#index)
  }
}

/** `<prefix><yyyyMMddHHmmss, local time>-<n>[.extension]`, n from 1 in each second. */
class RollTimePathNaming implements PathNaming {
  readonly #options: PathNamingOptions
  #lastStamp = ''
  #index = 0

  constructor(options: PathNamingOptions) {
    this.#options = options
  }

  next(): string {
    const stamp = localStamp(new Date(this.#options.clock.now()))
    this.#index = stamp === this.#lastStamp ? this.#index + 1 : 1
    this.#lastStamp = stamp
    return pathOf(this.#options, stamp, this.#index)
  }
}

function localStamp(date: Date): string {
  const parts = [
    date.getMonth() + 1,
    date.getDate(),
    date.getHours(),
    date.getMinutes(),
    date.getSeconds(),
  ]
  const two = (part: number) => String(part).padStart(2, '0')
  return String(date.getFullYear()).padStart(4, '0') + parts.map(two).join('')
}
