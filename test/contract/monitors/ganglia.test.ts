import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { gangliaMonitor } from '@millrace/agent-core/internal/monitors/ganglia'
import { monitorContract } from '@millrace/testkit'

monitorContract({
  definition: gangliaMonitor,
  open: async () => {
    const daemon = createSocket('udp4')
    let received = ''
    daemon.on('message', (message) => (received += message.toString('latin1')))
    await once(daemon.bind(0, '127.0.0.1'), 'listening')
    return {
      settings: { hosts: `127.0.0.1:${daemon.address().port}`, pollFrequency: '1' },
      shown: () => received,
      close: () => daemon.close(),
    }
  },
})
