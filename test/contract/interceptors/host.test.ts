import { hostInterceptor } from '@millrace/agent-core/internal/interceptors/host'
import { interceptorContract } from '@millrace/testkit'

interceptorContract({
  definition: hostInterceptor,
  examples: [
    {
      title: 'keeps a value that is there when told to',
      settings: { preserveExisting: 'true', hostHeader: 'from' },
      event: { headers: { from: 'elsewhere' }, body: 'x' },
      result: { headers: { from: 'elsewhere' }, body: 'x' },
    },
  ],
})
