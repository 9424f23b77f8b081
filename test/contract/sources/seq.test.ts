import { seqSource } from '@millrace/agent-core/internal/sources/seq'
import { sourceContract } from '@millrace/testkit'

sourceContract({
  definition: seqSource,
  open: () => ({ settings: { batchSize: '3' } }),
  counts: ['eventAcceptedCount'],
  tellsRefusal: false,
})
