/** Where exported events go: a file, or an avro source. */
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { builtinComponents } from '@millrace/agent-core'
import type { EventSerializer } from '@millrace/component'
import type { EventBatch } from '@millrace/event'
import { AvroRpcClient, formatHostAddress, parseHostAddress } from '@millrace/rpc'
import { messageOf, silentLogger, systemClock } from '@millrace/runtime'
import type { LoggedBatch } from '@millrace/wal'
import { UsageError } from '../exit-code.js'
import { printableJson } from '../receive/printable.js'
import type { Terminal } from '../terminal.js'
import { loggedEventJson } from './event-line.js'

/** Takes batches; what `write` resolved is handed over, and safe after `finish`. */
export interface Destination {
  /** For a person. */
  readonly title: string
  write(batch: LoggedBatch): Promise<void>
  finish(): Promise<void>
  /** Gives up: nothing half written stays. After `finish` it does nothing. */
  abandon(): Promise<void>
}

export type ExportFormat = 'avro' | 'ndjson'

/** Most events and bytes of one call of an avro source. */
const MAX_CALL_EVENTS = 1_000
const MAX_CALL_BYTES = 8 * 1024 ** 2

/** @throws UsageError when the text is no such address; RpcError when nobody answers there. */
export async function avroDestination(address: string): Promise<Destination> {
  const given = /^avro:\/\/([^/?#]+)\/?$/.exec(address)?.[1]
  const target = given === undefined ? undefined : parsed(given)
  if (!target) throw new UsageError(`--to is not avro://host:port: “${address}”`)
  const client = new AvroRpcClient(target)
  await client.connect()
  return {
    title: `avro://${formatHostAddress(target)}`,
    async write({ batch }) {
      for (const part of partsOf(batch)) await client.appendBatch(part)
    },
    finish: () => client.close(),
    abandon: () => client.close(),
  }
}

function parsed(text: string): { readonly host: string; readonly port: number } | undefined {
  try {
    return parseHostAddress(text)
  } catch {
    return undefined
  }
}

/** Slices that an avro source takes in one call. */
function* partsOf(batch: EventBatch): Generator<EventBatch> {
  let from = 0
  let bytes = 0
  for (let i = 0; i < batch.size; i += 1) {
    const size = batch.byteLengthAt(i)
    if (i > from && (i - from === MAX_CALL_EVENTS || bytes + size > MAX_CALL_BYTES)) {
      yield batch.slice(from, i)
      from = i
      bytes = 0
    }
    bytes += size
  }
  if (from < batch.size) yield batch.slice(from)
}

/** @throws UsageError when the file is there already, or cannot be made. */
export async function fileDestination(path: string, format: ExportFormat): Promise<Destination> {
  if (await isThere(path)) throw new UsageError(`${path} is there already; nothing is overwritten`)
  const unfinished = `${path}.tmp`
  const encoder = await encoderFor(format)
  const file = await opened(unfinished)
  let isOpen = true
  await file.appendFile(encoder.header?.() ?? Buffer.alloc(0))
  return {
    title: path,
    async write(batch) {
      await file.appendFile(await encoder.encode(batch))
    },
    async finish() {
      await file.sync()
      isOpen = false
      await file.close()
      await rename(unfinished, path)
      await syncDirectory(dirname(path))
    },
    async abandon() {
      if (!isOpen) return
      isOpen = false
      await file.close()
      await rm(unfinished, { force: true })
    },
  }
}

/** Standard output, which takes lines only. */
export function outputDestination({ stdout }: Terminal): Destination {
  const { signal } = new AbortController()
  return {
    title: 'standard output',
    async write(batch) {
      if (!stdout.isOpen) throw new Error('nobody reads standard output any more')
      await stdout.writeAll(linesOf(batch), signal)
    },
    finish: async () => {},
    abandon: async () => {},
  }
}

interface Encoder {
  header?(): Buffer
  encode(batch: LoggedBatch): Buffer | string | Promise<Buffer>
}

async function encoderFor(format: ExportFormat): Promise<Encoder> {
  if (format === 'ndjson') return { encode: linesOf }
  const serializer = await avroSerializer()
  return {
    header: () => serializer.header?.() ?? Buffer.alloc(0),
    encode: async ({ batch }) => serializer.serialize(batch),
  }
}

/** The container files of the serializer `avro_event`: Flume's schema of an event. */
async function avroSerializer(): Promise<EventSerializer> {
  const entry = builtinComponents.find(
    ({ alias, kind }) => kind === 'serializer' && alias === 'avro_event',
  )
  const definition = await entry?.load()
  if (definition?.kind !== 'serializer') throw new Error('There is no serializer avro_event')
  const options = Object.fromEntries(
    Object.entries(definition.options).map(([name, { fallback }]) => [name, fallback]),
  )
  const made = definition.create({
    agent: '',
    name: 'export',
    options,
    logger: silentLogger,
    clock: systemClock,
    random: Math.random,
  })
  return made as EventSerializer
}

function linesOf({ appendedAtMs, batch, firstSequence }: LoggedBatch): string {
  let lines = ''
  for (let i = 0; i < batch.size; i += 1) {
    const line = loggedEventJson(batch.at(i), { sequence: firstSequence + i, appendedAtMs })
    lines += `${printableJson(JSON.stringify(line))}\n`
  }
  return lines
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}

async function opened(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'w')
  } catch (error) {
    throw new UsageError(`${path} cannot be written: ${messageOf(error)}`)
  }
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}
