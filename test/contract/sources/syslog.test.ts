import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { multiportSyslogtcpSource } from '@millrace/agent-core/internal/sources/multiport-syslogtcp'
import { syslogtcpSource } from '@millrace/agent-core/internal/sources/syslogtcp'
import { syslogudpSource } from '@millrace/agent-core/internal/sources/syslogudp'
import { sourceContract } from '@millrace/testkit'
import { TestCertificate } from '../../support/certificates.js'
import { writeUntilAborted } from '../../support/flood.js'
import { freePort } from '../../support/free-port.js'
import { leaveDatagrams, leaveLines, syslogLine } from '../../support/syslog-peer.js'

const chunk = Buffer.from(syslogLine('x'.repeat(200)).repeat(100))

for (const definition of [syslogtcpSource, multiportSyslogtcpSource]) {
  const settingsOf = (port: number) => ({
    host: '127.0.0.1',
    [definition === syslogtcpSource ? 'port' : 'ports']: String(port),
  })
  sourceContract({
    definition,
    tellsRefusal: false,
    open: async () => {
      const port = await freePort()
      return {
        settings: settingsOf(port),
        leave: (bodies) => {
          const socket = connect({ host: '127.0.0.1', port })
          return leaveLines(socket, bodies.map(syslogLine))
        },
        flood: (signal, onSent) => writeUntilAborted({ port, chunk, signal, onSent }),
      }
    },
  })
}

describe('with TLS', () => {
  const keystore = new TestCertificate('localhost', undefined, ['127.0.0.1']).writeStore()
  sourceContract({
    definition: syslogtcpSource,
    tellsRefusal: false,
    open: async () => {
      const port = await freePort()
      return {
        settings: { host: '127.0.0.1', port: String(port), ssl: 'true', keystore },
        leave: (bodies) => {
          const socket = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false })
          return leaveLines(socket, bodies.map(syslogLine))
        },
      }
    },
  })
})

sourceContract({
  definition: syslogudpSource,
  tellsRefusal: false,
  open: async () => {
    const port = await freePort()
    return {
      settings: { host: '127.0.0.1', port: String(port) },
      leave: (bodies) => leaveDatagrams(port, bodies.map(syslogLine)),
    }
  },
})
