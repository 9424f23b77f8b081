/** Conversations that mutations begin with: recorded ones of real peers, and generated ones. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { constants, inflateSync } from 'node:zlib'
import { conversationsDirectory, readConversation, type Who } from '../interop/conversation.js'
import { FLUME_1_2_HASH, HASH, hex } from '../rpc/golden.js'
import type { Choice } from '../wal/choice.js'
import {
  answerTokens,
  framesOf,
  octetsOf,
  type FuzzFrame,
  requestTokens,
  sized,
  type Token,
} from './tokens.js'
import { SOURCE_PROTOCOL_TEXT } from '@millrace/rpc/internal/protocol/source-protocol'

export type Dialogue = readonly FuzzFrame[]

export interface Corpus {
  readonly requests: readonly Dialogue[]
  readonly answers: readonly Dialogue[]
}

const inflated = (octets: Buffer) => inflateSync(octets, { finishFlush: constants.Z_SYNC_FLUSH })

/** What real peers of Flume and Avro said, connection by connection. */
export function recordedCorpus(): Corpus {
  const requests: Dialogue[] = []
  const answers: Dialogue[] = []
  for (const file of readdirSync(conversationsDirectory).toSorted()) {
    const { compression, connections } = readConversation(join(conversationsDirectory, file))
    for (const steps of connections) {
      const said = (wanted: Who) => {
        const octets = Buffer.concat(
          steps.filter(({ who }) => who === wanted).map((step) => step.octets),
        )
        return compression === 'deflate' ? inflated(octets) : octets
      }
      requests.push(framesOf(said('client'), requestTokens))
      answers.push(framesOf(said('server'), answerTokens))
    }
  }
  return { requests, answers }
}

const octets = (choice: Choice, most: number) => {
  const made = Buffer.alloc(choice.int(0, most))
  for (let i = 0; i < made.length; i += 1) made[i] = choice.int(0, 255)
  return made
}

function blocks(choice: Choice, items: readonly (readonly Token[])[]): Token[] {
  const tokens: Token[] = []
  for (let left = items; left.length > 0; ) {
    const taken = left.slice(0, choice.chance(0.7) ? left.length : choice.int(1, left.length))
    left = left.slice(taken.length)
    const inner = taken.flat()
    if (choice.chance(0.8)) tokens.push(BigInt(taken.length), ...inner)
    else tokens.push(BigInt(-taken.length), BigInt(octetsOf(inner).length), ...inner)
  }
  return [...tokens, 0n]
}

const several = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make)

const map = (choice: Choice, most: number) =>
  blocks(
    choice,
    several(choice.int(0, most), () => [
      ...sized(octets(choice, 20)),
      ...sized(octets(choice, 50)),
    ]),
  )

const event = (choice: Choice) => [...map(choice, 4), ...sized(octets(choice, 200))]

const PROTOCOLS = [
  SOURCE_PROTOCOL_TEXT,
  SOURCE_PROTOCOL_TEXT.replace('"AvroSourceProtocol"', '"Other"'),
  // The body before the headers: events must be resolved.
  SOURCE_PROTOCOL_TEXT.replace(
    /"fields":\[(\{"name":"headers".*?\}\}),(\{"name":"body".*?\})\]/,
    '"fields":[$2,$1]',
  ),
  '{"protocol":"P","types":[],"messages":{}}',
  '{"protocol":"P","types":[{"type":"record","name":"E","fields":[{"name":"e","type":"E"}]}],"messages":{"append":{"request":[{"name":"event","type":"E"}],"response":"null"}}}',
  '[]',
  '{',
]

function handshake(choice: Choice): Token[] {
  const hash = choice.weighted({ known: 6, old: 1, unknown: 3 })
  const clientHash =
    hash === 'unknown' ? octets(choice, 16) : hex(hash === 'known' ? HASH : FLUME_1_2_HASH)
  const padded = Buffer.concat([clientHash, Buffer.alloc(16 - clientHash.length)])
  const tells = choice.chance(hash === 'known' ? 0.2 : 0.8)
  return [
    padded,
    ...(tells ? [1n, ...sized(choice.of(PROTOCOLS))] : [0n]),
    choice.chance(0.8) ? hex(HASH) : Buffer.alloc(16, 7),
    ...(choice.chance(0.5) ? [1n, ...map(choice, 3)] : [0n]),
  ]
}

function call(choice: Choice): Token[] {
  const name = choice.weighted({ append: 4, appendBatch: 6, '': 1, nope: 1 })
  const head = [...map(choice, choice.chance(0.8) ? 0 : 3), ...sized(name)]
  if (name === 'append') return [...head, ...event(choice)]
  if (name !== 'appendBatch') return head
  return [
    ...head,
    ...blocks(
      choice,
      several(choice.upTo(30), () => event(choice)),
    ),
  ]
}

/** A client's side that a server must take, or refuse in an orderly way. */
export function generatedRequests(choice: Choice): Dialogue {
  return several(choice.int(1, 12), () => choice.int(-5, 1_000)).map((serial, i) => ({
    serial,
    buffers: i === 0 ? [[...handshake(choice), ...call(choice)]] : [call(choice)],
  }))
}

function outcome(choice: Choice): Token[] {
  const kind = choice.weighted({ ok: 6, failed: 1, unknown: 1, error: 2 })
  const meta = map(choice, choice.chance(0.9) ? 0 : 3)
  if (kind === 'error') return [...meta, Buffer.of(1), 0n, ...sized(octets(choice, 100))]
  return [...meta, Buffer.of(0), { ok: 0n, failed: 1n, unknown: 2n }[kind]]
}

/** A server's side for calls with the serials 1, 2, 3 … */
export function generatedAnswers(choice: Choice): Dialogue {
  const frames: FuzzFrame[] = []
  const text = () => (choice.chance(0.5) ? [1n, ...sized(choice.of(PROTOCOLS))] : [0n])
  const hash = () => (choice.chance(0.5) ? [1n, hex(HASH)] : [0n])
  const match = choice.weighted({ both: 6, client: 2, none: 2 })
  let serial = 1
  const shaken = (branch: bigint) => [branch, ...text(), ...hash(), 0n]
  if (match === 'none') {
    frames.push({ serial, buffers: [shaken(2n)] })
    serial += 1
  }
  const first = shaken(match === 'both' ? 0n : 1n)
  let isFirst = true
  for (const end = serial + choice.int(1, 6); serial < end; serial += 1) {
    const answer = outcome(choice)
    frames.push({ serial, buffers: [isFirst ? [...first, ...answer] : answer] })
    isFirst = false
  }
  return frames
}
