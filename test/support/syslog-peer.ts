import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import type { Socket } from 'node:net'

/** A well-formed message of RFC 5424 with this text. */
export const syslogLine = (text: string): string => `<13>1 2026-11-20T10:00:00Z h1 ${text}\n`

/** Sends lines and closes. There are no answers. */
export async function leaveLines(socket: Socket, lines: readonly string[]): Promise<void> {
  socket.resume().on('error', () => {})
  socket.end(lines.join(''))
  await once(socket, 'close')
}

/** Sends each text as a datagram. */
export async function leaveDatagrams(port: number, texts: readonly string[]): Promise<void> {
  const socket = createSocket('udp4')
  try {
    for (const text of texts) {
      await new Promise((resolve) => socket.send(text, port, '127.0.0.1', resolve))
    }
  } finally {
    socket.close()
  }
}
