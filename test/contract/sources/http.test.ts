import { request } from 'node:http'
import { httpSource } from '@millrace/agent-core/internal/sources/http'
import { jsonHandler } from '@millrace/agent-core/internal/http-handlers/json'
import { createContext, sourceContract } from '@millrace/testkit'
import { freePort } from '../../support/free-port.js'
import { writeUntilAborted } from '../../support/flood.js'

/** Posts and gives the status. Each request has a connection of its own. */
function post(port: number, body: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, method: 'POST', agent: false }
    const sending = request(options, (response) => {
      response.resume().on('end', () => resolve(response.statusCode ?? 0))
    })
    sending.on('error', reject).end(body)
  })
}

const body = JSON.stringify(Array.from({ length: 100 }, () => ({ body: 'x'.repeat(1_000) })))
const chunk = Buffer.from(
  `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
)

sourceContract({
  definition: httpSource,
  counts: ['eventReceivedCount', 'eventAcceptedCount', 'appendBatchAcceptedCount'],
  named: { createHttpHandler: () => jsonHandler.create(createContext(jsonHandler, {}) as never) },
  open: async () => {
    const port = await freePort()
    return {
      settings: { bind: '127.0.0.1', port: String(port) },
      send: async (bodies) => {
        const status = await post(port, JSON.stringify(bodies.map((body) => ({ body }))))
        if (status !== 200) throw new Error(`The source answered ${status}`)
      },
      flood: (signal, onSent) => writeUntilAborted({ port, chunk, signal, onSent }),
    }
  },
})
