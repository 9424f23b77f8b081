import { replicatingSelector } from '@millrace/agent-core/internal/selectors/replicating'
import { selectorContract } from '@millrace/testkit'

selectorContract({
  definition: replicatingSelector,
  settings: { 'selector.optional': 'c3' },
  channels: ['c1', 'c2', 'c3'],
  examples: [
    {
      title: 'copies each event to every channel, the optional ones as such',
      headers: {},
      required: ['c1', 'c2'],
      optional: ['c3'],
    },
    {
      title: 'requires every channel when none is optional',
      settings: {},
      headers: { any: 'header' },
      required: ['c1', 'c2', 'c3'],
    },
  ],
})
