import { connect } from 'node:tls'
import { avroSource } from '@millrace/agent-core/internal/sources/avro'
import { EventBatch } from '@millrace/event'
import { sourceContract } from '@millrace/testkit'
import { firstFrame, laterFrame } from '../../support/avro-frames.js'
import { AvscRpcClient, plainEvents } from '../../support/avsc-client.js'
import { writeUntilAborted } from '../../support/flood.js'
import { TestCertificate } from '../../support/certificates.js'
import { freePort } from '../../support/free-port.js'

async function send(client: AvscRpcClient, bodies: readonly string[]): Promise<void> {
  try {
    const status = await client.appendBatch(plainEvents(...bodies))
    if (status !== 'OK') throw new Error(`The source answered ${status}`)
  } finally {
    client.close()
  }
}

const kilobyte = { body: Buffer.alloc(1_024, 'x') }
const preface = firstFrame(EventBatch.of([kilobyte]))
const chunk = laterFrame(EventBatch.of(Array.from({ length: 100 }, () => kilobyte)), 2)

sourceContract({
  definition: avroSource,
  counts: ['eventReceivedCount', 'eventAcceptedCount', 'appendBatchAcceptedCount'],
  open: async () => {
    const port = await freePort()
    return {
      settings: { bind: '127.0.0.1', port: String(port) },
      send: (bodies) => send(new AvscRpcClient(port), bodies),
      flood: (signal, onSent) => writeUntilAborted({ port, preface, chunk, signal, onSent }),
    }
  },
})

describe('with TLS', () => {
  const store = new TestCertificate('localhost', undefined, ['127.0.0.1']).writeStore()
  sourceContract({
    definition: avroSource,
    open: async () => {
      const port = await freePort()
      const tls = { ssl: 'true', keystore: store, 'keystore-type': 'PEM' }
      return {
        settings: { bind: '127.0.0.1', port: String(port), ...tls },
        send: (bodies) => {
          const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false })
          return send(new AvscRpcClient(port, socket), bodies)
        },
      }
    },
  })
})
