/** A TAILDIR source over a temporary directory, its rounds made by hand. */
import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { taildirSource } from '@millrace/agent-core/internal/sources/taildir'
import type { PollableSource, SourceStartContext } from '@millrace/component'
import { type Clock, silentLogger, type Logger } from '@millrace/runtime'
import { createContext, FakeClock } from '@millrace/testkit'
import { noAbort, sourceContext, type SourceContext } from './component-context.js'
import { temporaryDirectory } from './temp-directory.js'

export class TailHarness {
  readonly directory = temporaryDirectory()
  readonly positionFile = join(temporaryDirectory(), 'state', 'positions.json')
  readonly clock = new FakeClock()
  readonly context: SourceContext = sourceContext()
  readonly #settings: Record<string, string>
  readonly #logger: Logger
  #source: PollableSource | undefined

  constructor(settings: Record<string, string> = {}, logger: Logger = silentLogger) {
    this.#logger = logger
    this.#settings = {
      filegroups: 'f1',
      'filegroups.f1': `${this.directory}/.*\\.log`,
      positionFile: this.positionFile,
      ...settings,
    }
  }

  path(name: string): string {
    return join(this.directory, name)
  }

  append(name: string, text: string | Buffer): void {
    appendFileSync(this.path(name), text)
  }

  get texts(): readonly string[] {
    return this.context.channel.texts
  }

  async start(more: Partial<SourceStartContext> = {}): Promise<void> {
    // Files have the system's time.
    const clock: Clock = {
      now: () => Date.now(),
      monotonic: () => this.clock.monotonic(),
      after: (ms, callback) => this.clock.after(ms, callback),
    }
    const made = createContext(taildirSource, this.#settings, { clock, logger: this.#logger })
    this.#source = taildirSource.create(made as never) as PollableSource
    await this.#source.start?.({ ...this.context, ...more })
  }

  /** Rounds, each a look later, until one has nothing to do. */
  async rounds(): Promise<void> {
    for (let i = 0; i < 100; i += 1) if ((await this.round()) === 'backoff') return
    throw new Error('The source does not come to an end')
  }

  async round(): Promise<'ready' | 'backoff'> {
    await this.clock.advance(1_000)
    if (!this.#source) throw new Error('The source is not started')
    return this.#source.process(noAbort)
  }

  async stop(): Promise<void> {
    const source = this.#source
    this.#source = undefined
    const stopping = source?.stop?.({ deadlineMs: 1_000 })
    await stopping
  }

  /** As a crash leaves it: what was stored last is stored. */
  async crash(): Promise<void> {
    const paths = [this.positionFile, `${this.positionFile}.identities`]
    const stored = paths.map((path) => (existsSync(path) ? readFileSync(path) : undefined))
    await this.stop()
    paths.forEach((path, i) => {
      const bytes = stored[i]
      if (bytes) writeFileSync(path, bytes)
      else rmSync(path, { force: true })
    })
  }

  async restart(): Promise<void> {
    await this.stop()
    await this.start()
  }
}
