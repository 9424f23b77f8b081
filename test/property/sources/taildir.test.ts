import assert from 'node:assert/strict'
import {
  closeSync,
  copyFileSync,
  ftruncateSync,
  openSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { ChannelError } from '@millrace/runtime'
import * as fc from 'fast-check'
import { TailHarness } from '../../support/tail-harness.js'

/** What may happen to a log file, its writer and the source. */
type Step =
  | { readonly what: 'write'; readonly lines: readonly number[]; readonly isTorn: boolean }
  | { readonly what: 'rename'; readonly isWanted: boolean; readonly late: readonly number[] }
  | { readonly what: 'delete' }
  | { readonly what: 'copytruncate' }
  | { readonly what: 'round' }
  | { readonly what: 'rest' }
  | { readonly what: 'restart' }
  | { readonly what: 'restartWithoutIdentities' }
  | { readonly what: 'refuse'; readonly times: number }

const lengths = fc.array(fc.oneof(fc.nat(20), fc.nat(400)), { maxLength: 8 })
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      what: fc.constant('write' as const),
      lines: lengths,
      isTorn: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      what: fc.constant('rename' as const),
      isWanted: fc.boolean(),
      late: lengths,
    }),
  },
  { weight: 4, arbitrary: fc.constant({ what: 'round' as const }) },
  ...(['delete', 'copytruncate', 'rest', 'restart', 'restartWithoutIdentities'] as const).map(
    (what) => ({ weight: 1, arbitrary: fc.constant({ what }) }),
  ),
  { weight: 1, arbitrary: fc.record({ what: fc.constant('refuse' as const), times: fc.nat(2) }) },
)

/** An application that writes numbered lines to app.log, and whoever rotates it. */
class Writer {
  readonly tail: TailHarness
  /** Numbers of the lines of each file, in order. */
  readonly files: number[][] = []
  /** Whether the source has looked since app.log was made. */
  isLookedAt = false
  #descriptor = -1
  #written = 0
  #torn = ''
  #names = 0

  constructor(tail: TailHarness) {
    this.tail = tail
    this.#create()
  }

  get written(): number {
    return this.#written
  }

  write(lines: readonly number[], isTorn = false): void {
    const text = lines.map((length) => this.#line(length)).join('')
    const whole = this.#torn + text
    const cut = isTorn && text.length > 1 ? text.length >> 1 : 0
    this.#torn = whole.slice(whole.length - cut)
    this.#put(whole.slice(0, whole.length - cut))
  }

  /** Writes what is missing of the last line. */
  finish(): void {
    this.#put(this.#torn)
    this.#torn = ''
  }

  rename(isWanted: boolean, late: readonly number[]): void {
    this.finish()
    this.#names += 1
    const name = isWanted ? `app-${this.#names}.log` : `app.log.${this.#names}`
    renameSync(this.tail.path('app.log'), this.tail.path(name))
    this.write(late)
    this.close()
    this.#create()
  }

  delete(): void {
    this.close()
    rmSync(this.tail.path('app.log'))
    this.#create()
  }

  copytruncate(): void {
    this.#names += 1
    copyFileSync(this.tail.path('app.log'), this.tail.path(`app.log.${this.#names}`))
    ftruncateSync(this.#descriptor)
    this.isLookedAt = false
    this.files.push([])
  }

  close(): void {
    closeSync(this.#descriptor)
  }

  #create(): void {
    this.#descriptor = openSync(this.tail.path('app.log'), 'a')
    this.isLookedAt = false
    this.files.push([])
  }

  #line(length: number): string {
    const number = this.#written
    this.#written += 1
    this.files.at(-1)?.push(number)
    return `${number} ${'é'.repeat(length)}\n`
  }

  #put(text: string): void {
    if (text !== '') writeSync(this.#descriptor, text)
  }
}

async function readAll(tail: TailHarness): Promise<void> {
  tail.context.channel.beforePut = () => {}
  await tail.rounds()
}

async function take(step: Step, tail: TailHarness, writer: Writer): Promise<void> {
  switch (step.what) {
    case 'write':
      return writer.write(step.lines, step.isTorn)
    case 'rename':
      // What has lost its wanted name before the first look is never known.
      if (!step.isWanted && !writer.isLookedAt) await tail.round()
      return writer.rename(step.isWanted, step.late)
    case 'delete':
      writer.finish()
      await readAll(tail)
      return writer.delete()
    case 'copytruncate':
      writer.finish()
      await readAll(tail)
      return writer.copytruncate()
    case 'round':
      await tail.round()
      writer.isLookedAt = true
      return
    case 'rest':
      writer.finish()
      await tail.clock.advance(120_000)
      await tail.round()
      return
    case 'restart':
      return tail.restart()
    case 'restartWithoutIdentities':
      await readAll(tail)
      await tail.stop()
      rmSync(`${tail.positionFile}.identities`, { force: true })
      await tail.start()
      await tail.rounds()
      return
    case 'refuse': {
      let left = step.times
      tail.context.channel.beforePut = () => {
        left -= 1
        if (left >= 0) throw new ChannelError('MILLRACE_CHANNEL_FULL', 'full')
      }
    }
  }
}

describe('taildir source, through any schedule of rotations and restarts', () => {
  it('delivers each line once, and those of a file in their order', async function () {
    this.timeout(60_000)
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
        const tail = new TailHarness({ batchSize: '3' })
        const writer = new Writer(tail)
        await tail.start()
        try {
          for (const each of steps) await take(each, tail, writer)
          writer.finish()
          for (let i = 0; i < 4; i += 1) await tail.rounds()
        } finally {
          writer.close()
          await tail.stop()
        }
        const numbers = tail.texts.map((text) => Number.parseInt(text, 10))
        const all = Array.from({ length: writer.written }, (_, i) => i)
        assert.deepEqual(
          [...numbers].sort((a, b) => a - b),
          all,
        )
        for (const file of writer.files) {
          assert.deepEqual(
            numbers.filter((number) => file.includes(number)),
            file,
          )
        }
      }),
      { numRuns: 60 },
    )
  })
})
