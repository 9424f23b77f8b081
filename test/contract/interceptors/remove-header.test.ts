import { removeHeaderInterceptor } from '@millrace/agent-core/internal/interceptors/remove-header'
import { interceptorContract } from '@millrace/testkit'

interceptorContract({
  definition: removeHeaderInterceptor,
  settings: { withName: 'secret' },
  examples: [
    {
      title: 'takes out by name, list and expression together',
      settings: { withName: 'a', fromList: 'b , c', matching: 'x.*' },
      event: { headers: { a: '1', b: '2', c: '3', x1: '4', ax: '5' }, body: 'b' },
      result: { headers: { ax: '5' }, body: 'b' },
    },
    {
      title: 'splits the list at an expression of its own',
      settings: { fromList: 'b;c', fromListSeparator: ';' },
      event: { headers: { b: '2', c: '3' } },
      result: {},
    },
  ],
})
