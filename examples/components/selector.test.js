import { selectorContract } from '@millrace/testkit'
import definition from './selector.js'

selectorContract({
  definition,
  channels: ['c1', 'c2'],
  examples: [
    { title: 'sends what is urgent to the first', headers: { urgent: '1' }, required: ['c1'] },
    { title: 'sends the rest to the last', headers: {}, required: ['c2'] },
  ],
})
