/** One hostile client of a server. */
import assert from 'node:assert/strict'
import { connect as connectTcp, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import { DeflateDuplex } from '@millrace/rpc/internal/net/deflate-duplex'
import { constants, createInflate } from 'node:zlib'
import type { FuzzCase } from './fuzz-case.js'
import { RecordFaults } from './tls-records.js'

/** The ports of one server for each pair of layers. */
export interface ServerPorts {
  readonly plain: number
  readonly deflate: number
  readonly tls: number
  readonly tlsDeflate: number
}

export interface ServerOutcome {
  /** What came back, above TLS and below zlib. */
  readonly answers: Buffer
  /** Answers that were there in the end: OK, and others. */
  readonly oks: number
}

/** A server has so long to close after its peer has ended. */
const CLOSE_MS = 5_000
/** What a peer that then stays silent gets from us. */
const SILENT_MS = 20

const portOf = ({ compression, tls }: FuzzCase, ports: ServerPorts) => {
  if (tls) return compression === 'none' ? ports.tls : ports.tlsDeflate
  return compression === 'none' ? ports.plain : ports.deflate
}

const turn = () => new Promise<void>((resolve) => void setImmediate(resolve))

/** The stream to write to, and what its octets are answered with. Undefined when the layers cannot be opened. */
async function layersOver(socket: Socket, fuzz: FuzzCase): Promise<Duplex | undefined> {
  if (fuzz.speaks === 'nothing') return socket
  const below = fuzz.speaks === 'tls-in-zlib' ? new DeflateDuplex(socket) : socket
  below.on('error', () => socket.destroy())
  const records = new RecordFaults(below, fuzz.records)
  records.on('error', () => socket.destroy())
  const stream = connectTls({ socket: records, rejectUnauthorized: false })
  const isOpen = await new Promise<boolean>((resolve) => {
    stream.on('error', () => resolve(false))
    socket.once('close', () => resolve(false))
    // A record that never comes is waited for by both.
    setTimeout(() => resolve(false), 500)
    stream.once('secureConnect', () => resolve(true))
  })
  return isOpen ? stream : undefined
}

/** Plays the case. @throws when the server does not close, or answers what no server of Avro answers. */
export async function playServerCase(fuzz: FuzzCase, ports: ServerPorts): Promise<ServerOutcome> {
  const socket = connectTcp({ host: '127.0.0.1', port: portOf(fuzz, ports), noDelay: true })
  socket.on('error', () => {})
  const closed = new Promise<void>((resolve) => void socket.once('close', () => resolve()))
  const stream = await layersOver(socket, fuzz)
  const chunks: Buffer[] = []
  const target = stream ?? socket
  if (stream) {
    stream.on('error', () => {})
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    for (const step of fuzz.steps) {
      if (!stream.writable) break
      stream.write(step)
      await turn()
    }
  } else socket.resume()
  if (fuzz.ending === 'end') {
    target.end()
    const timer = setTimeout(() => socket.destroy(new Error()), CLOSE_MS)
    const begun = performance.now()
    await closed
    clearTimeout(timer)
    assert.ok(performance.now() - begun < CLOSE_MS, 'the server closes when its peer has ended')
  } else {
    if (fuzz.ending === 'silent') await new Promise((resolve) => setTimeout(resolve, SILENT_MS))
    socket.resetAndDestroy()
    await closed
  }
  const isDeflated = fuzz.compression === 'deflate' && fuzz.speaks !== 'tls-in-zlib'
  const answers = isDeflated ? await inflatedPrefix(chunks) : Buffer.concat(chunks)
  // On a port with TLS only what came through TLS is an answer.
  const oks = fuzz.tls && fuzz.speaks === 'nothing' ? 0 : countOks(answers)
  return { answers, oks }
}

/** What a zlib stream holds that came in these pieces, up to where it breaks. */
export async function inflatedPrefix(parts: readonly Buffer[]): Promise<Buffer> {
  const chunks: Buffer[] = []
  const inflate = createInflate({ finishFlush: constants.Z_SYNC_FLUSH })
  const ended = new Promise<void>((resolve) => {
    inflate.on('error', () => resolve())
    inflate.on('end', () => resolve())
    inflate.on('close', () => resolve())
  })
  inflate.on('data', (chunk: Buffer) => chunks.push(chunk))
  for (const part of parts) {
    const written = new Promise<void>((resolve) => void inflate.write(part, () => resolve()))
    await Promise.race([written, ended])
    // What was unpacked is handed out a turn later.
    await turn()
    if (inflate.destroyed) break
  }
  if (!inflate.destroyed) inflate.end()
  await ended
  return Buffer.concat(chunks)
}

/** @throws when the octets are not answers, of which the last may be cut off. */
function countOks(answers: Buffer): number {
  let at = 0
  let oks = 0
  const int = (position: number) => answers.readInt32BE(position)
  while (at + 8 <= answers.length) {
    const count = int(at + 4)
    assert.ok(count === 1 || count === 3, `an answer of ${count} buffers`)
    at += 8
    const buffers: Buffer[] = []
    for (let i = 0; i < count; i += 1) {
      if (at + 4 > answers.length) return oks
      const length = int(at)
      assert.ok(length >= 0 && length < 100_000, `a buffer of ${length} octets in an answer`)
      buffers.push(answers.subarray(at + 4, at + 4 + length))
      at += 4 + length
    }
    if (at > answers.length) return oks
    if (count === 1) continue
    assert.equal(buffers[1]?.toString('hex'), '00', 'the metadata of an answer')
    const payload = buffers[2]?.toString('hex') ?? ''
    assert.match(payload, /^(00(00|02)|0100.*)$/, 'the payload of an answer')
    if (payload === '0000') oks += 1
  }
  return oks
}
