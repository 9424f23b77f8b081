import { uuidInterceptor } from '@millrace/agent-core/internal/interceptors/uuid'
import { interceptorContract } from '@millrace/testkit'

interceptorContract({
  definition: uuidInterceptor,
  examples: [
    {
      title: 'keeps an identifier that is there',
      event: { headers: { id: 'old' }, body: 'x' },
      result: { headers: { id: 'old' }, body: 'x' },
    },
  ],
})
