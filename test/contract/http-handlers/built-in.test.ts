import { blobHandler } from '@millrace/agent-core/internal/http-handlers/blob'
import { jsonHandler } from '@millrace/agent-core/internal/http-handlers/json'
import { morphlineBlobHandler } from '@millrace/agent-core/internal/http-handlers/morphline-blob'
import { httpHandlerContract } from '@millrace/testkit'

httpHandlerContract({
  definition: jsonHandler,
  examples: [
    { body: '[]', events: [] },
    {
      body: '[{"headers":{"a":"b"},"body":"grün"},{"body":"x"}]',
      events: [{ headers: { a: 'b' }, body: 'grün' }, { body: 'x' }],
    },
  ],
  refused: [{ body: '{' }, { body: '{"body":"not a list"}' }],
})

httpHandlerContract({
  definition: blobHandler,
  settings: { mandatoryParameters: 'a' },
  examples: [
    { body: 'all', query: 'a=1&b=2', events: [{ headers: { a: '1', b: '2' }, body: 'all' }] },
  ],
  refused: [{ body: 'all', query: 'b=2' }],
})

httpHandlerContract({
  definition: morphlineBlobHandler,
  settings: { maxBlobLength: '3' },
  examples: [{ body: 'all', query: 'a=1', events: [{ headers: { a: '1' }, body: 'all' }] }],
  refused: [{ body: 'more' }],
})
