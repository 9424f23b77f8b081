import { httpMonitor } from '@millrace/agent-core/internal/monitors/http'
import { prometheusMonitor } from '@millrace/agent-core/internal/monitors/prometheus'
import { monitorContract } from '@millrace/testkit'

for (const definition of [httpMonitor, prometheusMonitor]) {
  monitorContract({
    definition,
    open: () => ({
      settings: { host: '127.0.0.1', port: '0' },
      shown: async ({ address }) => {
        const response = await fetch(`http://127.0.0.1:${address?.port}/metrics`, {
          headers: { connection: 'close' },
        })
        return response.text()
      },
    }),
  })
}
