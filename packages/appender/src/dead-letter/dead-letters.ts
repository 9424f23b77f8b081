import { appendFile, mkdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type Clock, messageOf } from '@millrace/runtime'
import type { Diagnostics } from '../diagnostics.js'
import type { Run } from '../queue/run.js'
import type { DeadLetter, DeadLetterListener } from './dead-letter.js'

/** The file of dead letters in their directory. */
export const DEAD_LETTER_FILE = 'dead-letters.ndjson'

export interface DeadLettersOptions {
  readonly target:
    | { readonly directory: string; readonly maxBytes: number }
    | DeadLetterListener
    | undefined
  readonly clock: Clock
  readonly diagnostics: Diagnostics
}

/** Keeps events that cannot be delivered: one line of JSON each, or a call of the application. */
export class DeadLetters {
  readonly #options: DeadLettersOptions
  #tail: Promise<unknown> = Promise.resolve()

  constructor(options: DeadLettersOptions) {
    this.#options = options
  }

  /** Whether there is a place for dead letters. */
  get isEnabled(): boolean {
    return this.#options.target !== undefined
  }

  /** Resolves true when all events of the run are kept, false when they are lost. Never rejects. */
  bury(run: Run, reason: DeadLetter['reason'], host?: string): Promise<boolean> {
    const batch = run.batch()
    const letters: DeadLetter[] = []
    for (let i = 0; i < batch.size; i += 1) {
      const letter = { headers: batch.headersAt(i), body: Buffer.from(batch.bodyAt(i)), reason }
      letters.push(host === undefined ? letter : { ...letter, host })
    }
    const kept = this.#tail.then(() => this.#keep(letters))
    this.#tail = kept
    return kept
  }

  async #keep(letters: readonly DeadLetter[]): Promise<boolean> {
    const { target, diagnostics } = this.#options
    if (target === undefined) return false
    try {
      if (typeof target === 'function') for (const letter of letters) await target(letter)
      else await this.#write(target, letters)
      const [first] = letters
      const from = first?.host === undefined ? '' : ` by ${first.host}`
      diagnostics.report(
        'dead-letter',
        `event kept as a dead letter: ${first?.reason ?? ''}${from}`,
        undefined,
        letters.length,
      )
      return true
    } catch (error) {
      diagnostics.report('dead-letter', `dead letter lost: ${messageOf(error)}`, error)
      return false
    }
  }

  async #write(
    target: { readonly directory: string; readonly maxBytes: number },
    letters: readonly DeadLetter[],
  ): Promise<void> {
    await mkdir(target.directory, { recursive: true })
    const file = join(target.directory, DEAD_LETTER_FILE)
    const at = new Date(this.#options.clock.now()).toISOString()
    const text = letters.map((letter) => `${toLine(letter, at)}\n`).join('')
    const size = await stat(file).then(
      (stats) => stats.size,
      () => 0,
    )
    if (size + Buffer.byteLength(text) > target.maxBytes) {
      throw new Error(`${file} has reached deadLetter.maxBytes`)
    }
    await appendFile(file, text)
  }
}

/** A body that is not UTF-8 is kept as `bodyBase64`, so that nothing is lost. */
function toLine(letter: DeadLetter, at: string): string {
  const { headers, body, reason, host } = letter
  const text = body.toString()
  const isText = Buffer.from(text).equals(body)
  const content = isText ? { body: text } : { bodyBase64: body.toString('base64') }
  return JSON.stringify({ at, reason, host, headers, ...content })
}
