import { failoverProcessor } from '@millrace/agent-core/internal/processors/failover'
import { sinkProcessorContract } from '@millrace/testkit'

sinkProcessorContract({
  definition: failoverProcessor,
  settings: { 'processor.priority.k1': '5', 'processor.priority.k2': '10' },
  sinks: ['k1', 'k2', 'k3'],
})
