import { netcatudpSource } from '@millrace/agent-core/internal/sources/netcatudp'
import { sourceContract } from '@millrace/testkit'
import { freePort } from '../../support/free-port.js'
import { leaveDatagrams } from '../../support/syslog-peer.js'

sourceContract({
  definition: netcatudpSource,
  tellsRefusal: false,
  open: async () => {
    const port = await freePort()
    return {
      settings: { bind: '127.0.0.1', port: String(port) },
      leave: (bodies) => leaveDatagrams(port, bodies),
    }
  },
})
