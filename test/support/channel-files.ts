/** File channels on disk, and the agent's file that names them, for tests of the commands about them. */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { EventBatch } from '@millrace/event'
import { type Consumer, Log, type LogOptions, readLog } from '@millrace/wal'
import { type Finished, runMillrace } from './command.js'
import { temporaryDirectory } from './temp-directory.js'

/** The directories of one channel. */
export class ChannelFiles {
  readonly directory: string
  readonly name: string
  readonly dataDirectories: readonly string[]

  constructor(name = 'c1', directory = temporaryDirectory(), dataDirectories = 1) {
    this.name = name
    this.directory = directory
    this.dataDirectories = Array.from({ length: dataDirectories }, (_, i) =>
      join(directory, `${name}-data-${i + 1}`),
    )
  }

  get checkpointDirectory(): string {
    return join(this.directory, `${this.name}-checkpoint`)
  }

  /** The words that say where it is. */
  get words(): string[] {
    const { checkpointDirectory, dataDirectories } = this
    return ['--checkpoint-dir', checkpointDirectory, '--data-dirs', dataDirectories.join(',')]
  }

  /** Its lines in an agent's file. */
  get lines(): string[] {
    const prefix = `a1.channels.${this.name}`
    return [
      `${prefix}.type = file`,
      `${prefix}.checkpointDir = ${this.checkpointDirectory}`,
      `${prefix}.dataDirs = ${this.dataDirectories.join(',')}`,
      `${prefix}.segmentSize = 65536`,
      `${prefix}.minimumRequiredSpace = 1048576`,
    ]
  }

  open(options: Partial<LogOptions> = {}): Promise<Log> {
    return Log.open({
      checkpointDirectory: this.checkpointDirectory,
      dataDirectories: this.dataDirectories,
      consumers: ['sinks'],
      segmentBytes: 65_536,
      ...options,
    })
  }

  /** Appends a batch with these bodies, and closes again. */
  async put(...batches: (readonly string[])[]): Promise<void> {
    const log = await this.open()
    for (const bodies of batches) await log.append(EventBatch.of(bodies.map((body) => ({ body }))))
    await log.close()
  }

  /** The bodies that wait in it. */
  async waiting(): Promise<string[]> {
    const bodies: string[] = []
    for await (const { batch } of readLog(this, { consumer: 'sinks' })) {
      for (const { body } of batch) bodies.push(body.toString())
    }
    return bodies
  }

  /** Paths of the segment files. */
  segments(): string[] {
    return this.dataDirectories.flatMap((directory) =>
      readdirSync(directory)
        .filter((name) => name.startsWith('segment-'))
        .toSorted()
        .map((name) => join(directory, name)),
    )
  }

  /** Every file with its content and its time. */
  state(): string {
    const directories = [this.checkpointDirectory, ...this.dataDirectories]
    const files = directories.flatMap((directory) =>
      readdirSync(directory).map((name) => join(directory, name)),
    )
    return files
      .map((path) => {
        const entry = statSync(path)
        const content = entry.isFile() ? readFileSync(path).toString('latin1') : ''
        return `${path} ${entry.mtimeMs} ${content}`
      })
      .join('\n')
  }

  /** Turns a bit of the body of the first event that holds the text. */
  damage(text: string): void {
    for (const path of this.segments()) {
      const bytes = readFileSync(path)
      const at = bytes.indexOf(text)
      if (at < 0) continue
      bytes[at] = (bytes[at] ?? 0) ^ 1
      writeFileSync(path, bytes)
      return
    }
    throw new Error(`No segment holds ${text}`)
  }
}

export const linesOf = (text: string): string[] => text.split('\n').filter((line) => line !== '')

/** Acknowledges the next events of a consumer. */
export async function acknowledge(consumer: Consumer, events: number): Promise<void> {
  const [first] = await consumer.read({ maxBytes: 1 })
  if (!first) throw new Error('Nothing waits')
  await consumer.acknowledge(first.firstSequence, first.firstSequence + events)
}

/** Runs a command whose answer is JSON. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller knows the shape
export async function runJson<T>(words: readonly string[]): Promise<Finished & { answer: T }> {
  const finished = await runMillrace([...words, '--json'])
  try {
    return { ...finished, answer: JSON.parse(finished.stdout) as T }
  } catch {
    throw new Error(`No JSON, code ${finished.code}: ${finished.stdout}${finished.stderr}`)
  }
}
