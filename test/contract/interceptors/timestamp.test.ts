import { timestampInterceptor } from '@millrace/agent-core/internal/interceptors/timestamp'
import { interceptorContract } from '@millrace/testkit'

interceptorContract({
  definition: timestampInterceptor,
  nowMs: 1_700_000_000_123,
  examples: [
    {
      title: 'writes the time in epoch milliseconds',
      event: { headers: { a: '1', timestamp: 'old' }, body: 'x' },
      result: { headers: { a: '1', timestamp: '1700000000123' }, body: 'x' },
    },
    {
      title: 'keeps a time that is there when told to',
      settings: { preserveExisting: 'true', headerName: 'at' },
      event: { headers: { at: 'old' } },
      result: { headers: { at: 'old' } },
    },
  ],
})
