/**
 * How far the file at hand has been read, kept as Flume keeps it in `.flumespool-main.meta`: an Avro
 * container whose metadata `file` is the path, and each of whose blocks holds one offset. The last
 * one counts.
 */
import { randomBytes } from 'node:crypto'
import { type FileHandle, open, readFile, rename, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { ByteWriter, VarintReader } from '@millrace/event'
import { readBlock, readHead, SYNC_BYTES } from '../../files/avro-container.js'
import { syncDirectory } from '../../files/replace-file.js'

const SCHEMA =
  '{"type":"record","name":"TransferStateFileMeta","namespace":"org.apache.flume.serialization","fields":[{"name":"offset","type":"long"}]}'

export interface StoredOffset {
  readonly file: string
  readonly offset: number
}

/** Reads a tracker file; undefined when there is none, or none that can be understood. */
export async function readTracker(path: string): Promise<StoredOffset | undefined> {
  let bytes: Buffer
  try {
    bytes = await readFile(path)
  } catch (error) {
    if (error instanceof Error && Reflect.get(error, 'code') === 'ENOENT') return undefined
    throw error
  }
  try {
    return parseTracker(bytes)
  } catch {
    // Torn by a crash, or of somebody else: the file is read from its beginning.
    return undefined
  }
}

function parseTracker(bytes: Buffer): StoredOffset | undefined {
  const head = readHead(bytes)
  const file = head?.metadata.get('file')?.toString()
  if (!head || file === undefined) return undefined
  let offset = 0
  for (let at = head.length; at < bytes.length; ) {
    const block = readBlock(bytes, at)
    // What a crash cut off is not there.
    if (!block || block.end + SYNC_BYTES > bytes.length) break
    const reader = new VarintReader(bytes, block.start, block.end)
    for (let i = 0; i < block.count; i += 1) offset = reader.readLong()
    at = block.end + SYNC_BYTES
  }
  return { file, offset }
}

/** Writes the offsets of one file. */
export class PositionTracker {
  readonly #path: string
  readonly #handle: FileHandle
  readonly #sync: Buffer
  #length: number

  private constructor(path: string, handle: FileHandle, sync: Buffer, length: number) {
    this.#path = path
    this.#handle = handle
    this.#sync = sync
    this.#length = length
  }

  /** Begins a tracker file for `file`; one that is there is replaced as a whole. */
  static async create(path: string, { file, offset }: StoredOffset): Promise<PositionTracker> {
    const sync = randomBytes(SYNC_BYTES)
    const bytes = Buffer.concat([headOf(file, sync), blockOf(offset, sync)])
    const draft = `${path}.new`
    const handle = await open(draft, 'w')
    try {
      await handle.write(bytes, 0, bytes.length, 0)
      await handle.sync()
      await rename(draft, path)
      await syncDirectory(dirname(path))
    } catch (error) {
      await handle.close()
      throw error
    }
    return new PositionTracker(path, handle, sync, bytes.length)
  }

  /** Adds an offset. It survives the process, and a computer that stops within some seconds may forget it. */
  async store(offset: number): Promise<void> {
    const block = blockOf(offset, this.#sync)
    await this.#handle.write(block, 0, block.length, this.#length)
    this.#length += block.length
  }

  async close(): Promise<void> {
    await this.#handle.close()
  }

  /** Closes and removes it. */
  async remove(): Promise<void> {
    await this.close()
    await unlink(this.#path)
  }
}

function headOf(file: string, sync: Buffer): Buffer {
  const writer = new ByteWriter(512)
  writer.writeRaw(Buffer.from([0x4f, 0x62, 0x6a, 0x01]))
  writer.writeVarint(2)
  writer.writeString('avro.schema')
  writer.writeString(SCHEMA)
  writer.writeString('file')
  writer.writeString(file)
  writer.writeVarint(0)
  writer.writeRaw(sync)
  return Buffer.from(writer.buffer.subarray(0, writer.position))
}

function blockOf(offset: number, sync: Buffer): Buffer {
  const value = new ByteWriter(10)
  value.writeVarint(offset)
  const writer = new ByteWriter(40)
  writer.writeVarint(1)
  writer.writeVarint(value.position)
  writer.writeRaw(value.buffer.subarray(0, value.position))
  writer.writeRaw(sync)
  return Buffer.from(writer.buffer.subarray(0, writer.position))
}
