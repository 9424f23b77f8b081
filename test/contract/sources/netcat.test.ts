import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { netcatSource } from '@millrace/agent-core/internal/sources/netcat'
import { sourceContract } from '@millrace/testkit'
import { freePort } from '../../support/free-port.js'
import { writeUntilAborted } from '../../support/flood.js'

/** Sends lines and waits for an OK for each. */
async function sendLines(port: number, lines: readonly string[]): Promise<void> {
  const socket = connect({ host: '127.0.0.1', port })
  try {
    await once(socket, 'connect')
    socket.write(lines.map((line) => `${line}\n`).join(''))
    await answers(socket, lines.length)
  } finally {
    socket.destroy()
  }
}

async function answers(socket: Socket, count: number): Promise<void> {
  let text = ''
  for await (const chunk of socket) {
    text += String(chunk)
    if (text.includes('FAILED')) throw new Error(text)
    if (text === 'OK\n'.repeat(count)) return
  }
  throw new Error(`The connection ended after ${JSON.stringify(text)}`)
}

sourceContract({
  definition: netcatSource,
  counts: [],
  maxFloodBytes: 16 * 1024 * 1024,
  open: async () => {
    const port = await freePort()
    return {
      settings: { bind: '127.0.0.1', port: String(port) },
      send: (bodies) => sendLines(port, bodies),
      flood: (signal, onSent) => {
        const chunk = Buffer.from(`${'x'.repeat(99)}\n`.repeat(100))
        return writeUntilAborted({ port, chunk, signal, onSent })
      },
    }
  },
})
