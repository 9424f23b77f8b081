import { loadBalancingSelector } from '@millrace/agent-core/internal/selectors/load-balancing'
import { selectorContract } from '@millrace/testkit'

selectorContract({
  definition: loadBalancingSelector,
  channels: ['c1', 'c2', 'c3'],
  examples: [{ title: 'begins with the first channel', headers: {}, required: ['c1'] }],
})
