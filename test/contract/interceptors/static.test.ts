import { staticInterceptor } from '@millrace/agent-core/internal/interceptors/static'
import { interceptorContract } from '@millrace/testkit'

interceptorContract({
  definition: staticInterceptor,
  settings: { key: 'datacenter', value: 'Zürich' },
  examples: [
    {
      title: 'writes its header',
      event: { headers: { a: '1' }, body: 'x' },
      result: { headers: { a: '1', datacenter: 'Zürich' }, body: 'x' },
    },
    {
      title: 'keeps a value that is there',
      event: { headers: { datacenter: 'Bern' } },
      result: { headers: { datacenter: 'Bern' } },
    },
    {
      title: 'replaces a value that is there when told to',
      settings: { preserveExisting: 'false' },
      event: { headers: { key: 'old' } },
      result: { headers: { key: 'value' } },
    },
  ],
})
