import { once } from 'node:events'
import { connect } from 'node:net'

export interface Flood {
  readonly port: number
  /** Written before the first chunk. */
  readonly preface?: Buffer
  readonly chunk: Buffer
  readonly signal: AbortSignal
  readonly onSent: (bytes: number) => void
}

/** Writes the chunk again and again, as fast as the other side reads, and drops all answers. */
export async function writeUntilAborted({
  port,
  preface,
  chunk,
  signal,
  onSent,
}: Flood): Promise<void> {
  const socket = connect({ host: '127.0.0.1', port })
  // Answers are of no interest, and a socket that is cut has its `close`.
  socket.resume().on('error', () => {})
  const isOver = new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true })
    socket.once('close', () => resolve())
  })
  try {
    await once(socket, 'connect')
    if (preface) socket.write(preface)
    while (!signal.aborted && !socket.destroyed) {
      const written = new Promise<boolean>((resolve) => {
        socket.write(chunk, (error) => resolve(!error))
      })
      if (await Promise.race([written, isOver])) onSent(chunk.length)
    }
  } finally {
    socket.destroy()
  }
}
