/**
 * The ceiling beside which an agent is measured: reads Avro-RPC frames without looking inside and
 * answers OK. On the message `count` from its parent it tells how many frames it has read.
 *
 *     node bare-server.js PORT        prints "ready" when it listens
 */
import { createServer } from 'node:net'

const OK = Buffer.from([0, 0, 0])
const HANDSHAKE_OK = Buffer.from([0, 0, 0, 0, 0, 0, 0])
let frames = 0

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
      answers.push(answer)
      frames += 1
      at = end
    }
    pending = at < bytes.length ? bytes.subarray(at) : undefined
    if (answers.length > 0)
      socket.write(answers.length === 1 && answers[0] ? answers[0] : Buffer.concat(answers))
  })
}).listen(Number(process.argv[2]), '127.0.0.1', () => console.log('ready'))

process.on('message', () => process.send?.({ frames }))
