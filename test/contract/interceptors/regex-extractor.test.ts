import { regexExtractorInterceptor } from '@millrace/agent-core/internal/interceptors/regex-extractor'
import { interceptorContract } from '@millrace/testkit'

const settings = {
  regex: '(\\d):(\\d):(\\d)',
  serializers: 's1 s2 s3',
  'serializers.s1.name': 'one',
  'serializers.s2.name': 'two',
  'serializers.s3.name': 'three',
}

interceptorContract({
  definition: regexExtractorInterceptor,
  settings,
  examples: [
    {
      title: "writes the groups of the first match, as in Flume's guide",
      event: { headers: { one: 'old' }, body: '1:2:3.4foobar5' },
      result: { headers: { one: '1', two: '2', three: '3' }, body: '1:2:3.4foobar5' },
    },
    {
      title: 'leaves an event without a match',
      event: { headers: { one: 'old' }, body: 'x' },
      result: { headers: { one: 'old' }, body: 'x' },
    },
    {
      title: 'writes a time in epoch milliseconds',
      settings: {
        regex: '^(\\S+)',
        serializers: 's1',
        'serializers.s1.type':
          'org.apache.flume.interceptor.RegexExtractorInterceptorMillisSerializer',
        'serializers.s1.name': 'timestamp',
        'serializers.s1.pattern': "yyyy-MM-dd'T'HH:mmZ",
      },
      event: { body: '2012-10-18T18:47+0200 x' },
      result: { headers: { timestamp: '1350578820000' }, body: '2012-10-18T18:47+0200 x' },
    },
  ],
})
