import { regexFilterInterceptor } from '@millrace/agent-core/internal/interceptors/regex-filter'
import { interceptorContract } from '@millrace/testkit'

interceptorContract({
  definition: regexFilterInterceptor,
  examples: [
    {
      title: 'keeps what it finds the expression in, anywhere in the body',
      settings: { regex: 'b\\d' },
      event: { headers: { a: '1' }, body: 'ab1c' },
      result: { headers: { a: '1' }, body: 'ab1c' },
    },
    {
      title: 'drops the others',
      settings: { regex: 'b\\d' },
      event: { body: 'abc' },
      result: undefined,
    },
    {
      title: 'drops what it finds the expression in when told to',
      settings: { regex: '^DEBUG', excludeEvents: 'true' },
      event: { body: 'DEBUG x' },
      result: undefined,
    },
  ],
})
