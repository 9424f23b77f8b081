import { multiplexingSelector } from '@millrace/agent-core/internal/selectors/multiplexing'
import { selectorContract } from '@millrace/testkit'

selectorContract({
  definition: multiplexingSelector,
  settings: {
    'selector.header': 'state',
    'selector.mapping.CZ': 'c1',
    'selector.mapping.US': 'c2 c3',
    'selector.optional.CZ': 'c3 c4',
    'selector.optional.PL': 'c2',
    'selector.default': 'c4',
  },
  channels: ['c1', 'c2', 'c3', 'c4'],
  examples: [
    {
      title: 'routes by the value of the header',
      headers: { state: 'US' },
      required: ['c2', 'c3'],
    },
    {
      title: 'adds the optional channels of the value',
      headers: { state: 'CZ' },
      required: ['c1'],
      optional: ['c3', 'c4'],
    },
    { title: 'takes the default without the header', headers: {}, required: ['c4'] },
    { title: 'takes the default for another value', headers: { state: 'cz' }, required: ['c4'] },
    {
      title: 'adds the optional channels of a value without a mapping to the default',
      headers: { state: 'PL' },
      required: ['c4'],
      optional: ['c2'],
    },
    {
      title: 'drops what has neither mapping nor default',
      settings: { 'selector.header': 'state', 'selector.mapping.CZ': 'c1' },
      headers: { state: 'US' },
      required: [],
    },
  ],
})
