/**
 * The ceiling beside which an agent is measured: reads Avro-RPC frames without looking inside and
 * answers OK. With a file it appends the frames there first: all that wait are written together and
 * answered after one `fdatasync`. On the message `count` from its parent it tells what it has done.
 *
 *     node bare-server.js PORT [FILE]     prints "ready" when it listens
 */
import { closeSync, fdatasync, fsyncSync, openSync, writeSync, writev } from 'node:fs'
import { createServer } from 'node:net'

const OK = Buffer.from([0, 0, 0])
const HANDSHAKE_OK = Buffer.from([0, 0, 0, 0, 0, 0, 0])
/** The file is filled with zeroes once and then written round and round. */
const FILE_BYTES = 256 * 1_048_576
const counts = { frames: 0, syncs: 0, bytesWritten: 0 }

interface Waiting {
  readonly frame: Buffer
  readonly answer: () => void
}

/** Appends frames to a file, as many at a time as wait. */
class FrameFile {
  readonly #file: number
  #position = 0
  #waiting: Waiting[] = []
  #isBusy = false

  constructor(path: string) {
    this.#file = openSync(path, 'w')
    const zeroes = Buffer.alloc(1_048_576)
    for (let at = 0; at < FILE_BYTES; at += zeroes.length)
      writeSync(this.#file, zeroes, 0, zeroes.length, at)
    fsyncSync(this.#file)
    process.once('exit', () => closeSync(this.#file))
  }

  add(waiting: Waiting): void {
    this.#waiting.push(waiting)
  }

  /** Call it after what came in one turn was added. */
  flush(): void {
    if (this.#isBusy || this.#waiting.length === 0) return
    this.#isBusy = true
    const group = this.#waiting
    this.#waiting = []
    const length = group.reduce((sum, { frame }) => sum + frame.length, 0)
    if (this.#position + length > FILE_BYTES) this.#position = 0
    const frames = group.map(({ frame }) => frame)
    writev(this.#file, frames, this.#position, (error, written) => {
      if (error ?? written !== length) throw error ?? new Error('short write')
      this.#position += length
      counts.bytesWritten += length
      fdatasync(this.#file, (error) => {
        if (error) throw error
        counts.syncs += 1
        for (const { answer } of group) answer()
        this.#isBusy = false
        this.flush()
      })
    })
  }
}

const path = process.argv[3]
const file = path === undefined ? undefined : new FrameFile(path)

/** Position behind the frame that begins at `start`, or -1 when it is not whole. */
function frameEnd(bytes: Buffer, start: number): number {
  if (bytes.length - start < 12) return -1
  let at = start + 8
  for (let left = bytes.readInt32BE(start + 4); left > 0; left -= 1) {
    if (at + 4 > bytes.length) return -1
    at += 4 + bytes.readInt32BE(at)
    if (at > bytes.length) return -1
  }
  return at
}

createServer({ noDelay: true }, (socket) => {
  let pending: Buffer | undefined
  let isFirst = true
  socket.on('error', () => socket.destroy())
  socket.on('data', (chunk) => {
    const bytes = pending ? Buffer.concat([pending, chunk]) : chunk
    const answers: Buffer[] = []
    let at = 0
    for (let end = frameEnd(bytes, 0); end >= 0; end = frameEnd(bytes, at)) {
      const body = isFirst ? HANDSHAKE_OK : OK
      isFirst = false
      const answer = Buffer.allocUnsafe(12 + body.length)
      bytes.copy(answer, 0, at, at + 4)
      answer.writeInt32BE(1, 4)
      answer.writeInt32BE(body.length, 8)
      body.copy(answer, 12)
      counts.frames += 1
      if (file) file.add({ frame: bytes.subarray(at, end), answer: () => socket.write(answer) })
      else answers.push(answer)
      at = end
    }
    pending = at < bytes.length ? bytes.subarray(at) : undefined
    file?.flush()
    if (answers.length > 0)
      socket.write(answers.length === 1 && answers[0] ? answers[0] : Buffer.concat(answers))
  })
}).listen(Number(process.argv[2]), '127.0.0.1', () => console.log('ready'))

process.on('message', () => process.send?.(counts))
