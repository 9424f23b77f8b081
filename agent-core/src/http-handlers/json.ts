import {
  defineHttpHandler,
  type HttpSourceHandler,
  type HttpSourceRequest,
} from '@millrace/component'
import { EventBatch, type EventInit } from '@millrace/event'
import { RequestError } from '@millrace/runtime'
import { type LenientValue, parseLenient } from '../sources/http/lenient-json.js'
import { jsonCharset } from './json-charset.js'

/** Flume's `JSONHandler`, the default of the HTTP source. */
export const jsonHandler = defineHttpHandler({
  alias: 'JSON',
  classNames: ['org.apache.flume.source.http.JSONHandler'],
  summary: 'Reads a JSON array of objects with headers and a body.',
  options: {},
  create: () => new JsonHandler(),
})

type JsonEvent = { readonly headers?: unknown; readonly body?: unknown }

/** Reads `[{"headers": {"name": "value"}, "body": "text"}]`. */
export class JsonHandler implements HttpSourceHandler {
  events({ headers, body }: HttpSourceRequest): EventBatch {
    const { text, encode } = jsonCharset(body, String(headers['content-type'] ?? ''))
    const events = strictEvents(text) ?? lenientEvents(text)
    return EventBatch.of(
      encode ? events.map((event) => ({ ...event, body: encode(String(event.body)) })) : events,
      // The names around the texts take more than what stands in their place.
      Math.max(64, body.length),
    )
  }
}

/** The fast way: JSON as it is nearly always. Undefined when a closer look is needed. */
function strictEvents(text: string): readonly EventInit[] | undefined {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    // Not strict; the lenient reader says whether it is JSON at all.
    return undefined
  }
  if (!Array.isArray(parsed)) return undefined
  const events: EventInit[] = []
  for (const each of parsed as readonly unknown[]) {
    if (typeof each !== 'object' || each === null || Array.isArray(each)) return undefined
    const { headers = {}, body = '' } = each as JsonEvent
    if (typeof body !== 'string' || !isTexts(headers)) return undefined
    events.push({ headers, body })
  }
  return events
}

function isTexts(value: unknown): value is Readonly<Record<string, string>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  for (const key in value) if (typeof Reflect.get(value, key) !== 'string') return false
  return true
}

function lenientEvents(text: string): readonly EventInit[] {
  const value = parseLenient(text)
  if (!Array.isArray(value)) throw new RequestError('The JSON is no array of events')
  return (value as readonly LenientValue[]).map((each) => {
    if (!(each instanceof Map)) throw new RequestError('The array holds what is no event')
    const body = (each as ReadonlyMap<string, LenientValue>).get('body') ?? ''
    if (typeof body !== 'string') throw new RequestError('A body is no text')
    return { headers: headersOf((each as ReadonlyMap<string, LenientValue>).get('headers')), body }
  })
}

function headersOf(value: LenientValue | undefined): Readonly<Record<string, string>> {
  if (value === undefined || value === null) return {}
  if (!(value instanceof Map)) throw new RequestError('The headers are no object')
  const texts: [string, string][] = []
  for (const [name, text] of value as ReadonlyMap<string, LenientValue>) {
    // There is no header without a value.
    if (text === null) continue
    if (typeof text !== 'string') throw new RequestError(`The header ${name} is no text`)
    texts.push([name, text])
  }
  return Object.fromEntries(texts)
}
