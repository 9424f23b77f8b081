import { multiplexingSelector } from '@millrace/agent-core/internal/selectors/multiplexing'
import { selectorContract } from '@millrace/testkit'

const settings = {
  'selector.header': 'State',
  'selector.default': 'c1',
  'selector.mapping.CA': 'c2',
  'selector.mapping.AZ': 'c2 c3',
  'selector.mapping.constructor': 'c4',
  'selector.optional.CA': 'c2 c3',
  'selector.optional.NY': 'c1 c4',
}

selectorContract({
  definition: multiplexingSelector,
  settings,
  channels: ['c1', 'c2', 'c3', 'c4'],
  examples: [
    {
      title: 'sends a mapped value to its channels',
      headers: { State: 'AZ' },
      required: ['c2', 'c3'],
    },
    {
      title: 'takes required channels out of the optional ones',
      headers: { State: 'CA' },
      required: ['c2'],
      optional: ['c3'],
    },
    {
      title: 'sends a value that is only listed as optional to the default channels too',
      headers: { State: 'NY' },
      required: ['c1'],
      optional: ['c4'],
    },
    {
      title: 'sends an unmapped value to the default channels',
      headers: { State: 'TX' },
      required: ['c1'],
    },
    {
      title: 'sends an event without the header to the default channels',
      headers: { state: 'AZ' },
      required: ['c1'],
    },
    {
      title: 'takes a blank value for an absent one',
      headers: { State: '  ' },
      required: ['c1'],
    },
    {
      title: 'compares values with their case',
      headers: { State: 'az' },
      required: ['c1'],
    },
    {
      title: 'takes the name of a built-in property for an ordinary value',
      headers: { State: 'constructor' },
      required: ['c4'],
    },
    {
      title: 'takes an unmapped value that is the name of a built-in property for unmapped',
      headers: { State: 'toString' },
      required: ['c1'],
    },
    {
      title: 'drops what it cannot map when there is no default',
      settings: { 'selector.header': 'State', 'selector.mapping.CA': 'c2' },
      headers: { State: 'TX' },
      required: [],
    },
    {
      title: 'looks at flume.selector.header when no header is named',
      settings: { 'selector.mapping.CA': 'c2' },
      headers: { 'flume.selector.header': 'CA' },
      required: ['c2'],
    },
  ],
})
