import { searchReplaceInterceptor } from '@millrace/agent-core/internal/interceptors/search-replace'
import { interceptorContract } from '@millrace/testkit'

interceptorContract({
  definition: searchReplaceInterceptor,
  settings: { searchPattern: '^[A-Za-z0-9_]+' },
  examples: [
    {
      title: 'replaces with groups wherever it finds the expression',
      settings: {
        searchPattern: 'The quick brown ([a-z]+) jumped over the lazy ([a-z]+)',
        replaceString: 'The hungry $2 ate the careless $1',
      },
      event: { headers: { a: '1' }, body: 'The quick brown fox jumped over the lazy dog' },
      result: { headers: { a: '1' }, body: 'The hungry dog ate the careless fox' },
    },
    {
      title: 'replaces what is empty too',
      settings: { searchPattern: 'x*', replaceString: '-' },
      event: { body: 'axb' },
      result: { body: '-a--b-' },
    },
    {
      title: 'decodes and encodes in its character set',
      settings: { searchPattern: 'Ã', replaceString: 'A', charset: 'ISO-8859-1' },
      event: { body: 'é' },
      result: { body: 'A\ufffd' },
    },
  ],
})
