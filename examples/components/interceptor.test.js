import { interceptorContract } from '@millrace/testkit'
import definition from './interceptor.js'

interceptorContract({
  definition,
  settings: { atLeast: '0' },
  examples: [
    {
      title: 'notes the length',
      event: { headers: { a: '1' }, body: 'four' },
      result: { headers: { a: '1', length: '4' }, body: 'four' },
    },
    {
      title: 'drops what is too short',
      settings: { atLeast: '5' },
      event: { body: 'four' },
      result: undefined,
    },
  ],
})
