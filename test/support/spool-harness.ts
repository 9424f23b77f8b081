/** A spooldir source over a temporary directory, its rounds made by hand. */
import { readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { avroDeserializer } from '@millrace/agent-core/internal/deserializers/avro'
import { blobDeserializer } from '@millrace/agent-core/internal/deserializers/blob'
import { lineDeserializer } from '@millrace/agent-core/internal/deserializers/line'
import { spooldirSource } from '@millrace/agent-core/internal/sources/spooldir'
import type { EventDeserializer, InputFile, PollableSource } from '@millrace/component'
import { createContext, type Settings } from '@millrace/testkit'
import { keptLogger, noAbort, sourceContext } from './component-context.js'
import { fastClock } from './fast-clock.js'
import { temporaryDirectory } from './temp-directory.js'

const DEFINITIONS = {
  LINE: lineDeserializer,
  AVRO: avroDeserializer,
  BLOB: blobDeserializer,
} as const

/** Makes a deserializer as the agent does. */
export function deserializer(
  name: keyof typeof DEFINITIONS,
  settings: Settings,
  input: InputFile,
): EventDeserializer {
  const definition = DEFINITIONS[name]
  return definition.create({ ...createContext(definition, settings), input } as never)
}

export interface SpoolSettings {
  readonly source?: Settings
  readonly deserializer?: keyof typeof DEFINITIONS
  readonly deserializerSettings?: Settings
}

export class SpoolHarness {
  readonly directory = temporaryDirectory()
  readonly context = sourceContext()
  readonly log = keptLogger()
  readonly #settings: SpoolSettings
  #source: PollableSource | undefined

  constructor(settings: SpoolSettings = {}) {
    this.#settings = settings
  }

  path(name: string): string {
    return join(this.directory, name)
  }

  /** Puts a file there whose last modification is `age` seconds ago. */
  put(name: string, contents: string | Buffer, age = 60): void {
    writeFileSync(this.path(name), contents)
    const time = Date.now() / 1_000 - age
    utimesSync(this.path(name), time, time)
  }

  get names(): readonly string[] {
    return readdirSync(this.directory).sort()
  }

  get texts(): readonly string[] {
    return this.context.channel.texts
  }

  async start(): Promise<void> {
    const { source = {}, deserializer: name = 'LINE', deserializerSettings = {} } = this.#settings
    const settings = { spoolDir: this.directory, ...source }
    const made = createContext(spooldirSource, settings, {
      logger: this.log.logger,
      clock: fastClock(100_000),
    })
    const createDeserializer = (input: InputFile) => deserializer(name, deserializerSettings, input)
    this.#source = spooldirSource.create({ ...made, createDeserializer } as never) as PollableSource
    await this.#source.start?.(this.context)
  }

  async round(): Promise<'ready' | 'backoff'> {
    if (!this.#source) throw new Error('The source is not started')
    return this.#source.process(noAbort)
  }

  /** Rounds until one has nothing to do. */
  async rounds(): Promise<void> {
    for (let i = 0; i < 1_000; i += 1) if ((await this.round()) === 'backoff') return
    throw new Error('The source does not come to an end')
  }

  async stop(): Promise<void> {
    await this.#source?.stop?.({ deadlineMs: 1_000 })
    this.#source = undefined
  }
}
