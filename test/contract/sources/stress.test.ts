import { stressSource } from '@millrace/agent-core/internal/sources/stress'
import { sourceContract } from '@millrace/testkit'

sourceContract({
  definition: stressSource,
  open: () => ({ settings: { batchSize: '3', size: '10' } }),
  counts: ['eventAcceptedCount'],
  tellsRefusal: false,
})
