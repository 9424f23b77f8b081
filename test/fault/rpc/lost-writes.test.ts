import { once } from 'node:events'
import { connect as connectTcp, createServer, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import { constants, deflateSync } from 'node:zlib'
import { Admission } from '@millrace/rpc/internal/server/admission'
import { KnownProtocols } from '@millrace/rpc/internal/server/known-protocols'
import { serverLimits } from '@millrace/rpc/internal/server/limits'
import { Session } from '@millrace/rpc/internal/server/session'
import { Transport } from '@millrace/rpc/internal/server/transport'
import { FakeClock } from '@millrace/testkit'
import { TestCertificate } from '../../support/certificates.js'
import { FIRST_APPEND } from '../../support/rpc/golden.js'
import { Closing, RecordingHandler } from '../../support/rpc/test-server.js'
import { until } from '../../support/until.js'

const DEFLATED_APPEND = deflateSync(FIRST_APPEND, { finishFlush: constants.Z_SYNC_FLUSH })

describe('answers that can no longer leave', () => {
  const closing = new Closing()
  const { key, cert } = new TestCertificate('server', undefined, ['127.0.0.1'])

  /** A session whose peer is reset by `opened`: before Node writes what ends the handshake. */
  const serve = async (compression: 'none' | 'deflate', opened: () => void) => {
    const clock = new FakeClock()
    const handler = new RecordingHandler()
    handler.isManual = true
    const tls = { key, cert }
    const transport = new Transport({ tls, compression, handshakeTimeoutMs: 30_000 })
    const served: { socket?: Socket; stream?: Duplex } = {}
    const start = (socket: Socket, stream: Duplex) =>
      new Session(stream, '127.0.0.1', {
        handler,
        limits: serverLimits(),
        admission: new Admission(1_000_000),
        protocols: new KnownProtocols(),
        clock,
        unreadable: () => {},
        broken: () => {},
        ended: () => socket.destroy(),
      })
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      served.socket = socket
      closing.step(() => socket.destroy())
      socket.on('error', () => {})
      transport.open(socket, {
        opened: (stream) => {
          opened()
          served.stream = stream
          start(socket, stream)
        },
        failed: () => socket.destroy(),
      })
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    closing.step(() => server.close())
    const address = server.address()
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0
    return { clock, handler, served, port }
  }

  for (const compression of ['none', 'deflate'] as const) {
    it(`a peer that is reset before the session tickets is closed within 3 seconds, compression ${compression}`, async () => {
      let reset = () => {}
      const { clock, handler, served, port } = await serve(compression, () => reset())
      const socket = connectTcp({ host: '127.0.0.1', port, noDelay: true })
      socket.on('error', () => {})
      reset = () => void socket.resetAndDestroy()
      const tls = connectTls({ socket, rejectUnauthorized: false })
      tls.on('error', () => {})
      await once(tls, 'secureConnect')
      // Leaves in one turn with the end of the handshake, so that the server has the call all the same.
      tls.write(compression === 'deflate' ? DEFLATED_APPEND : FIRST_APPEND)
      const call = await until(() => handler.calls[0], { what: 'the call' })
      await until(() => served.stream?.readableEnded, { what: 'the server sees the end' })
      call.answer.resolve()
      // A Node that tells of the lost write closes at once.
      const isDecided = () => clock.pendingTimers > 0 || served.socket?.destroyed
      await until(isDecided, { what: 'the answer is written' })
      await clock.advance(3_000)
      await until(() => served.socket?.destroyed, { what: 'the connection is closed' })
    })
  }
})
