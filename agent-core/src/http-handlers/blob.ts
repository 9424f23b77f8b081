import { defineHttpHandler, option } from '@millrace/component'
import { EventBatch } from '@millrace/event'
import { RequestError } from '@millrace/runtime'
import { firstValues } from './query-headers.js'

/** Flume's `BLOBHandler`: a request is an event, and its query parameters are the headers. */
export const blobHandler = defineHttpHandler({
  alias: 'BLOB',
  classNames: ['org.apache.flume.source.http.BLOBHandler'],
  summary: 'Makes an event of a request body, with the query parameters as headers.',
  options: {
    mandatoryParameters: option.list('mandatoryParameters', {
      description: 'Parameters that a request must have.',
      separator: 'comma',
      default: '',
    }),
  },
  create: ({ options }) => ({
    events({ query, body }) {
      const missing = options.mandatoryParameters.find((name) => !query.has(name))
      if (missing !== undefined) throw new RequestError(`The parameter ${missing} is missing`)
      return EventBatch.of([{ headers: firstValues(query), body }])
    },
  }),
})
