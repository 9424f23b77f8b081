import { avroSink } from '@millrace/agent-core/internal/sinks/avro'
import { sinkContract } from '@millrace/testkit'
import { mockReceiver } from '@millrace/testkit/receiver'

sinkContract({
  definition: avroSink,
  counts: ['connectionCreatedCount'],
  open: async () => {
    const receiver = await mockReceiver()
    return {
      settings: { hostname: receiver.host, port: String(receiver.port) },
      arrived: () => receiver.events.map((event) => event.text),
      breakDown: () => receiver.close(),
      repair: () => receiver.reopen(),
      hang: () => receiver.respond('hang'),
      close: () => receiver.close(),
    }
  },
})
