import { httpHandlerContract } from '@millrace/testkit'
import definition from './http-handler.js'

httpHandlerContract({
  definition,
  settings: { atMost: '2' },
  examples: [
    {
      body: 'a\nb\n',
      query: 'x=1',
      events: ['a', 'b'].map((body) => ({ headers: { x: '1' }, body })),
    },
  ],
  refused: [{ body: 'a\nb\nc' }],
})
