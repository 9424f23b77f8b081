import { defineHttpHandler, option } from '@millrace/component'
import { EventBatch } from '@millrace/event'
import { RequestError } from '@millrace/runtime'
import { firstValues } from './query-headers.js'

/** Flume's `BlobHandler` of the Morphline module. */
export const morphlineBlobHandler = defineHttpHandler({
  alias: 'MORPHLINE_BLOB',
  classNames: ['org.apache.flume.sink.solr.morphline.BlobHandler'],
  summary:
    'Makes an event of a request body, with the content type and the query parameters as headers.',
  options: {
    maxBlobLength: option.int('maxBlobLength', {
      description: 'Longest body; a longer one is answered 400.',
      unit: 'bytes',
      default: 100_000_000,
      min: 1,
    }),
  },
  create: ({ options }) => ({
    events({ query, body, headers }) {
      if (body.length > options.maxBlobLength) {
        throw new RequestError(`The body has more than ${options.maxBlobLength} bytes`)
      }
      const type = headers['content-type']
      const own = typeof type === 'string' ? { 'Content-Type': type } : {}
      return EventBatch.of([{ headers: { ...firstValues(query), ...own }, body }])
    },
  }),
})
