import { EventBatch } from '@millrace/event'

export const MESSAGE_NAMES = ['append', 'appendBatch'] as const
export type MessageName = (typeof MESSAGE_NAMES)[number]

/**
 * Reads the parameter of a call, octets [start, end).
 * @throws AvroError when they are no such parameter.
 */
export type DecodeRequest = (bytes: Buffer, start: number, end: number) => EventBatch

/** How to read the calls of a peer, by the protocol that it told. A message it does not have is absent. */
export type RequestDecoder = { readonly [Name in MessageName]?: DecodeRequest }

/** For peers whose events are encoded as Flume's: nothing is decoded, only checked and indexed. */
export const scanningDecoder: RequestDecoder = {
  append: (bytes, start, end) => EventBatch.scanEvent(bytes, start, end).batch,
  appendBatch: (bytes, start, end) => EventBatch.scanArray(bytes, start, end).batch,
}
