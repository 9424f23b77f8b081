/**
 * Protocols of peers that are not built from Flume's own file. Most differ in what changes no octet
 * (documentation, annotations, names); those are scanned like Flume's. The others go through Avro's
 * schema resolution, event by event: correct, and slow.
 */
import { checkDatum } from './datum-check.js'
import {
  MESSAGE_NAMES,
  type MessageName,
  type RequestDecoder,
  scanningDecoder,
} from './request-decoder.js'
import { SOURCE_PROTOCOL } from './source-protocol.js'
import { EventBatch, type EventInit } from '@millrace/event'
import { AvroError, messageOf } from '@millrace/runtime'

type Json = { readonly [key: string]: unknown }

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Longest text of a protocol, in characters. Flume's has 1,334; what is made of one is remembered. */
const MAX_PROTOCOL_LENGTH = 65_536

/**
 * How to read a peer that sent this protocol. A promise only when schemas must be resolved.
 * @throws AvroError when the text is no protocol, or a very long one.
 */
export function decoderFor(protocolText: string): RequestDecoder | Promise<RequestDecoder> {
  if (protocolText.length > MAX_PROTOCOL_LENGTH) {
    const message = `A protocol of ${protocolText.length} characters; ${MAX_PROTOCOL_LENGTH} are read`
    throw new AvroError('MILLRACE_AVRO_LIMIT', message)
  }
  const protocol = parse(protocolText)
  const messages = isObject(protocol['messages']) ? protocol['messages'] : {}
  const types = new NamedTypes(protocol)
  const known = MESSAGE_NAMES.filter((name) => isObject(messages[name]))
  const isScanned = (name: MessageName) => hasFlumesRequest(name, messages[name] as Json, types)
  if (known.every(isScanned)) {
    return Object.fromEntries(known.map((name) => [name, scanningDecoder[name]]))
  }
  return resolvingDecoder(protocol, known)
}

function parse(text: string): Json {
  let protocol: unknown
  try {
    protocol = JSON.parse(text)
  } catch (error) {
    throw new AvroError('MILLRACE_AVRO_INVALID', `No protocol: ${messageOf(error)}`, {
      cause: error,
    })
  }
  if (!isObject(protocol) || typeof protocol['protocol'] !== 'string') {
    throw new AvroError('MILLRACE_AVRO_INVALID', 'No protocol: it has no name')
  }
  return protocol
}

/** The types that a protocol declares, by their short names. */
class NamedTypes {
  readonly #types = new Map<string, unknown>()

  constructor(protocol: Json) {
    const types = Array.isArray(protocol['types']) ? protocol['types'] : []
    for (const type of types) {
      if (isObject(type) && typeof type['name'] === 'string') {
        this.#types.set(shortName(type['name']), type)
      }
    }
  }

  /** The declaration behind a name, or the name of a primitive type. */
  resolve(type: unknown): unknown {
    if (typeof type === 'string') return this.#types.get(shortName(type)) ?? type
    // {"type": "string", "avro.java.string": "String"} is a string.
    if (isObject(type) && typeof type['type'] === 'string' && PRIMITIVES.has(type['type'])) {
      return type['type']
    }
    return type
  }
}

const PRIMITIVES = new Set(['string', 'bytes'])
const shortName = (name: string) => name.slice(name.lastIndexOf('.') + 1)

function hasFlumesRequest(name: MessageName, message: Json, types: NamedTypes): boolean {
  const request = message['request']
  if (!Array.isArray(request) || request.length !== 1 || !isObject(request[0])) return false
  const type = types.resolve(request[0]['type'])
  if (name === 'append') return isFlumesEvent(type, types)
  return (
    isObject(type) && type['type'] === 'array' && isFlumesEvent(types.resolve(type['items']), types)
  )
}

function isFlumesEvent(type: unknown, types: NamedTypes): boolean {
  if (!isObject(type) || type['type'] !== 'record' || !Array.isArray(type['fields'])) return false
  const [headers, body, ...others]: unknown[] = type['fields']
  if (!isObject(headers) || !isObject(body) || others.length > 0) return false
  const map = types.resolve(headers['type'])
  return (
    headers['name'] === 'headers' &&
    body['name'] === 'body' &&
    isObject(map) &&
    map['type'] === 'map' &&
    types.resolve(map['values']) === 'string' &&
    types.resolve(body['type']) === 'bytes'
  )
}

async function resolvingDecoder(
  protocol: Json,
  names: readonly MessageName[],
): Promise<RequestDecoder> {
  // Only a peer that needs it costs the loading of a schema engine.
  const avsc = await import('avsc')
  const { Service } = avsc.default ?? avsc
  try {
    const writer = Service.forProtocol(copyOf(protocol))
    const reader = Service.forProtocol(copyOf(SOURCE_PROTOCOL))
    const decoders: { [Name in MessageName]?: RequestDecoder[Name] } = {}
    for (const name of names) {
      const writerType = writer.message(name).requestType
      const readerType = reader.message(name).requestType
      const resolver = readerType.createResolver(writerType, { ignoreNamespaces: true })
      decoders[name] = (bytes, start, end) => {
        const datum = bytes.subarray(start, end)
        checkDatum(writerType, datum)
        const value: unknown = read(() => readerType.fromBuffer(datum, resolver, true))
        return EventBatch.of(eventsOf(name, value))
      }
    }
    return decoders
  } catch (error) {
    throw new AvroError('MILLRACE_AVRO_INVALID', `Protocols do not match: ${messageOf(error)}`, {
      cause: error,
    })
  }
}

function read<T>(decode: () => T): T {
  try {
    return decode()
  } catch (error) {
    throw new AvroError('MILLRACE_AVRO_TRUNCATED', 'java.io.EOFException', { cause: error })
  }
}

/** The request is a record of one field; the reader's schema says what is in it. */
function eventsOf(name: MessageName, value: unknown): EventInit[] {
  const request = value as { event: Required<EventInit>; events: Required<EventInit>[] }
  const events = name === 'append' ? [request.event] : request.events
  return events.map(({ headers, body }) => ({ headers: { ...headers }, body }))
}

function copyOf(protocol: unknown) {
  return JSON.parse(JSON.stringify(protocol))
}
