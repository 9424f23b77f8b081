import { isUtf8 } from 'node:buffer'
import {
  defineDeserializer,
  type DeserializedEvents,
  type EventDeserializer,
  type InputFile,
  option,
} from '@millrace/component'
import { EventBatch } from '@millrace/event'
import { messageOf } from '@millrace/runtime'
import { batchOfSlices } from '../sources/body-slices.js'
import { type LineCharset, lineCharset } from '../sources/line-charset.js'
import { type FileText, fileText } from './file-text.js'

/** Flume's `LINE` deserializer: each line of a file is an event. */
export const lineDeserializer = defineDeserializer({
  alias: 'LINE',
  classNames: ['org.apache.flume.serialization.LineDeserializer$Builder'],
  summary: 'Makes an event of each line of a file.',
  options: {
    maxLineLength: option.int('maxLineLength', {
      description: 'Longest body in characters; what is more of a line becomes the next event.',
      default: 2_048,
      min: 1,
    }),
    outputCharset: option.string('outputCharset', {
      description: 'Character set of the bodies.',
      default: 'UTF-8',
    }),
  },
  check({ outputCharset }) {
    try {
      lineCharset(outputCharset)
      return []
    } catch (error) {
      return [{ key: 'outputCharset', message: messageOf(error) }]
    }
  },
  create: ({ options, input }) => new LineDeserializer(options, input),
})

export interface LineDeserializerOptions {
  readonly maxLineLength: number
  readonly outputCharset: string
}

const FIRST_WINDOW_BYTES = 256 * 1_024
/** Most memory for one line, in bytes; a longer one is cut. */
const MAX_WINDOW_BYTES = 128 * 1_024 * 1_024
/** Most bytes that a character of Java (a unit of UTF-16) takes. */
const MAX_CHARACTER_BYTES = 4

/** Lines in the window: start and end of each, and how many bytes end each of them. */
interface FoundLines {
  readonly slices: readonly number[]
  readonly feedBytes: number
}

/**
 * Splits at line feeds only, as Flume does: a carriage return stays, and what is behind the last line
 * feed is a line. Text that is UTF-8 and shall be is not decoded, only checked.
 */
export class LineDeserializer implements EventDeserializer {
  readonly #maxLineLength: number
  readonly #input: InputFile
  readonly #output: LineCharset
  readonly #isUtf8Output: boolean
  readonly #windowLimit: number
  #text: FileText | undefined
  #window = Buffer.allocUnsafeSlow(FIRST_WINDOW_BYTES)
  /** Offset in the file of the window's first byte, and how many bytes it has. */
  #offset: number
  #length = 0
  /** Offset in the file behind the last line that was given as a whole. */
  #position: number
  /** What is left of a line with more events than were asked for, and the offset behind it. */
  #pending: { readonly bodies: readonly string[]; readonly next: number } | undefined

  constructor(options: LineDeserializerOptions, input: InputFile) {
    const { outputCharset } = options
    const maxLineLength = input.maxLineLength ?? options.maxLineLength
    this.#maxLineLength = maxLineLength
    this.#input = input
    this.#offset = input.start
    this.#position = input.start
    this.#output = lineCharset(outputCharset)
    this.#isUtf8Output = /^utf-?8$/i.test(outputCharset)
    this.#windowLimit = Math.min(
      MAX_WINDOW_BYTES,
      Math.max(FIRST_WINDOW_BYTES, maxLineLength * MAX_CHARACTER_BYTES),
    )
  }

  async read(maxEvents: number): Promise<DeserializedEvents> {
    const text = await this.#open()
    if (this.#pending) {
      const { bodies, next } = this.#pending
      return { batch: this.#giveTexts(bodies, next, maxEvents), position: this.#position }
    }
    const batch = this.#give(text, await this.#find(text, maxEvents), maxEvents)
    return { batch, position: this.#position }
  }

  async #open(): Promise<FileText> {
    if (this.#text) return this.#text
    const { charset, decodeErrorPolicy } = this.#input
    const beginning = Buffer.alloc(2)
    const length = await this.#input.read(beginning, 0)
    this.#text = fileText(charset, decodeErrorPolicy, beginning.subarray(0, length))
    this.#position = Math.max(this.#position, this.#text.markBytes)
    this.#offset = this.#position
    return this.#text
  }

  /** The next lines; without a line feed what there is at the end, or what fits. */
  async #find(text: FileText, maxLines: number): Promise<FoundLines> {
    const feedBytes = text.lineFeed.length
    let slices = this.#cut(text, maxLines)
    if (slices.length === 0) await this.#fill()
    while (slices.length === 0) {
      slices = this.#cut(text, maxLines)
      if (slices.length > 0 || !(await this.#grow())) break
    }
    if (slices.length > 0) return { slices, feedBytes }
    const start = this.#position - this.#offset
    const end = this.#isEnd ? this.#length : wholeCharacters(this.#window, this.#length, feedBytes)
    return { slices: end > start ? [start, end] : [], feedBytes: 0 }
  }

  #cut({ lineFeed }: FileText, maxLines: number): number[] {
    const bytes = this.#window.subarray(0, this.#length)
    const slices: number[] = []
    let start = this.#position - this.#offset
    while (slices.length < 2 * maxLines) {
      const end = indexOfFeed(bytes, lineFeed, start)
      if (end < 0) break
      slices.push(start, end)
      start = end + lineFeed.length
    }
    return slices
  }

  get #isEnd(): boolean {
    return this.#offset + this.#length >= this.#input.size
  }

  async #fill(): Promise<void> {
    this.#offset = this.#position
    this.#length = await this.#input.read(this.#window, this.#offset)
  }

  /** Makes the window larger for a line that does not fit. */
  async #grow(): Promise<boolean> {
    if (this.#isEnd || this.#window.length >= this.#windowLimit) return false
    this.#window = Buffer.allocUnsafeSlow(Math.min(this.#windowLimit, this.#window.length * 2))
    await this.#fill()
    return true
  }

  #give(text: FileText, { slices, feedBytes }: FoundLines, maxEvents: number): EventBatch {
    const parts: EventBatch[] = []
    let plain: number[] = []
    let count = 0
    for (let i = 0; i < slices.length && count < maxEvents; i += 2) {
      const start = slices[i] as number
      const end = slices[i + 1] as number
      const next = this.#offset + end + feedBytes
      if (this.#isPlain(text, start, end)) {
        plain.push(start, end)
        count += 1
        this.#position = next
        continue
      }
      const bodies = this.#bodiesOf(text, { start, end, hasFeed: feedBytes > 0 }, count > 0)
      if (!bodies) break
      parts.push(batchOfSlices(this.#window, plain))
      plain = []
      const more = this.#giveTexts(bodies, next, maxEvents - count)
      parts.push(more)
      count += more.size
    }
    return EventBatch.concat([...parts, batchOfSlices(this.#window, plain)])
  }

  /** Whether the bytes of a line are the body. A line of fewer bytes has not more characters. */
  #isPlain({ isUtf8: isUtf8Input }: FileText, start: number, end: number): boolean {
    if (!isUtf8Input || !this.#isUtf8Output || end - start >= this.#maxLineLength) return false
    return isUtf8(this.#window.subarray(start, end))
  }

  /** A line as bodies; undefined when it cannot be decoded and others are to be given first. */
  #bodiesOf(
    text: FileText,
    line: { readonly start: number; readonly end: number; readonly hasFeed: boolean },
    hasOthers: boolean,
  ): readonly string[] | undefined {
    try {
      const decoded = text.decode(this.#window.subarray(line.start, line.end))
      return cutText(decoded, this.#maxLineLength, line.hasFeed)
    } catch (error) {
      if (hasOthers) return undefined
      throw error
    }
  }

  /** Gives bodies of one line. Until all of them are given the position stays in front of the line. */
  #giveTexts(bodies: readonly string[], next: number, maxEvents: number): EventBatch {
    const rest = bodies.slice(maxEvents)
    this.#pending = rest.length > 0 ? { bodies: rest, next } : undefined
    if (rest.length === 0) this.#position = next
    const given = bodies.slice(0, maxEvents)
    return EventBatch.of(given.map((body) => ({ body: this.#output.encode(body) })))
  }
}

/** A line feed of two bytes counts only where a character begins. */
function indexOfFeed(bytes: Buffer, feed: Buffer, from: number): number {
  let at = bytes.indexOf(feed, from)
  while (at >= 0 && (at - from) % feed.length !== 0) at = bytes.indexOf(feed, at + 1)
  return at
}

/** Where the last whole character ends; `unit` is 2 for UTF-16, and 1 for sets of bytes, read as UTF-8. */
function wholeCharacters(bytes: Buffer, length: number, unit: number): number {
  if (unit === 2) return length - (length % 2)
  let start = length - 1
  while (start > length - MAX_CHARACTER_BYTES && ((bytes[start] ?? 0) & 0xc0) === 0x80) start -= 1
  return ((bytes[start] ?? 0) & 0xc0) === 0xc0 ? start : length
}

/**
 * Pieces of at most so many characters; one of two units is not cut. As in Flume, a line whose length
 * is a multiple of that is followed by an empty piece: its line feed.
 */
function cutText(text: string, maxLength: number, hasFeed: boolean): readonly string[] {
  if (text.length < maxLength) return [text]
  const pieces: string[] = []
  let start = 0
  while (text.length - start >= maxLength) {
    let end = start + maxLength
    if (maxLength > 1 && /[\ud800-\udbff]/.test(text.charAt(end - 1)) && end < text.length) end -= 1
    pieces.push(text.slice(start, end))
    start = end
  }
  if (start < text.length || hasFeed) pieces.push(text.slice(start))
  return pieces
}
