/** Changes to frames, to octets and to zlib streams, drawn from a seed. */
import { constants, createDeflate } from 'node:zlib'
import type { Choice } from '../wal/choice.js'
import type { Dialogue } from './corpus.js'
import { encodeFuzzFrame, type FuzzFrame, type Token, varint } from './tokens.js'

const LONGS: readonly bigint[] = [
  0n,
  1n,
  -1n,
  2n,
  3n,
  63n,
  64n,
  -64n,
  255n,
  8_192n,
  262_144n,
  1_048_576n,
  2n ** 27n,
  2n ** 31n - 1n,
  2n ** 31n,
  -(2n ** 31n),
  2n ** 32n,
  2n ** 53n,
  2n ** 53n + 1n,
  2n ** 62n,
  -(2n ** 62n),
  2n ** 63n - 1n,
  -(2n ** 63n),
]
const INTS: readonly number[] = [
  0,
  1,
  -1,
  2,
  3,
  12,
  127,
  255,
  256,
  65_535,
  65_536,
  262_144,
  262_145,
  2 ** 24,
  2 ** 27,
  2 ** 27 + 1,
  2 ** 31 - 1,
  -(2 ** 31),
]
/** Longs that are written longer than they need, or longer than they may be. */
const ODD_LONGS = ['8000', '828000', 'ffffffffffffffffffff01', '80808080808080808000', 'ff', '']

type Change = (tokens: Token[], at: number, choice: Choice) => void

const CHANGES: readonly Change[] = [
  (tokens, at, choice) => (tokens[at] = choice.of(LONGS)),
  (tokens, at, choice) => {
    const token = tokens[at]
    if (typeof token === 'bigint') tokens[at] = BigInt.asIntN(64, token + choice.of([1n, -1n]))
    else if (token) tokens[at] = flipped(token, choice)
  },
  (tokens, at, choice) => (tokens[at] = Buffer.from(choice.of(ODD_LONGS), 'hex')),
  (tokens, at) => tokens.splice(at, 1),
  (tokens, at, choice) => tokens.splice(at, 0, tokens[choice.int(0, tokens.length - 1)] as Token),
  (tokens, at, choice) => {
    const some = tokens.slice(at, at + choice.int(1, 6))
    tokens.splice(at, 0, ...Array.from({ length: choice.upTo(200) }, () => some).flat())
  },
  (tokens, at) => tokens.splice(at),
  (tokens, at, choice) => (tokens[at] = Buffer.alloc(choice.upTo(5_000), choice.int(0, 255))),
]

function flipped(octets: Buffer, choice: Choice): Buffer {
  const copy = Buffer.from(octets)
  if (copy.length > 0) {
    const at = choice.int(0, copy.length - 1)
    copy[at] = (copy[at] ?? 0) ^ (1 << choice.int(0, 7))
  }
  return copy
}

function changedFrame(frame: FuzzFrame, choice: Choice): FuzzFrame {
  const kind = choice.weighted({ token: 10, cut: 3, claim: 2, serial: 1, empty: 1 })
  const buffers = frame.buffers.map((tokens) => [...tokens])
  const index = choice.int(0, Math.max(0, buffers.length - 1))
  const tokens = buffers[index]
  if (kind === 'serial') return { ...frame, serial: choice.of(INTS) }
  if (kind === 'claim') {
    const claims = choice.chance(0.5) ? { count: choice.of(INTS) } : { length: choice.of(INTS) }
    return { ...frame, claims }
  }
  if (kind === 'empty')
    buffers.splice(index, 0, ...Array.from({ length: choice.upTo(300) }, () => []))
  else if (tokens && tokens.length > 0) {
    const at = choice.int(0, tokens.length - 1)
    if (kind === 'cut') buffers.splice(index, 1, tokens.slice(0, at), tokens.slice(at))
    else choice.of(CHANGES)(tokens, at, choice)
  }
  return { ...frame, buffers }
}

/** Some changes of frames and of their order. */
export function mutated(dialogue: Dialogue, others: () => Dialogue, choice: Choice): Dialogue {
  const frames = [...dialogue]
  for (let left = choice.int(0, 4); left > 0 && frames.length > 0; left -= 1) {
    const at = choice.int(0, frames.length - 1)
    const frame = frames[at] as FuzzFrame
    const kind = choice.weighted({ change: 12, drop: 1, repeat: 1, swap: 1, splice: 1 })
    if (kind === 'change') frames[at] = changedFrame(frame, choice)
    else if (kind === 'drop') frames.splice(at, 1)
    else if (kind === 'repeat') {
      frames.splice(at, 0, ...Array.from({ length: choice.upTo(200) }, () => frame))
    } else if (kind === 'swap') {
      const with_ = choice.int(0, frames.length - 1)
      frames[at] = frames[with_] as FuzzFrame
      frames[with_] = frame
    } else frames.splice(at, 0, ...others().slice(0, 3))
  }
  return frames
}

/** The stream of the frames; one in four is damaged without regard to its structure. */
export function streamOf(frames: Dialogue, choice: Choice): Buffer {
  const stream = Buffer.concat(frames.map(encodeFuzzFrame))
  return choice.chance(0.25) ? damaged(stream, choice) : stream
}

/** Octets flipped, taken out, put in, repeated, or cut off. */
export function damaged(stream: Buffer, choice: Choice): Buffer {
  const at = choice.int(0, stream.length)
  const kind = choice.weighted({ flip: 4, cut: 2, drop: 1, insert: 1, repeat: 1, long: 1 })
  if (kind === 'flip') return flipped(stream, choice)
  if (kind === 'cut') return stream.subarray(0, at)
  const end = Math.min(stream.length, at + choice.upTo(40))
  const [before, after] = [stream.subarray(0, at), stream.subarray(end)]
  if (kind === 'drop') return Buffer.concat([before, after])
  const middle = {
    insert: Buffer.alloc(choice.upTo(64), choice.int(0, 255)),
    repeat: stream.subarray(at, end),
    long: varint(choice.of(LONGS)),
  }[kind]
  return Buffer.concat([before, middle, stream.subarray(at)])
}

/** The octets cut into up to `most` pieces. */
export function pieces(stream: Buffer, most: number, choice: Choice): Buffer[] {
  const cuts = Array.from({ length: choice.upTo(most) - 1 }, () => choice.int(0, stream.length))
  const edges = [0, ...cuts.toSorted((a, b) => a - b), stream.length]
  return edges.slice(1).map((edge, i) => stream.subarray(edges[i], edge))
}

/** A zlib stream of the pieces, each flushed; now and then damaged, ended early, or a bomb. */
export async function deflatedPieces(plain: readonly Buffer[], choice: Choice): Promise<Buffer[]> {
  const deflate = createDeflate({
    level: choice.int(0, 9),
    windowBits: choice.chance(0.8) ? 15 : choice.int(9, 15),
    strategy: choice.of([constants.Z_DEFAULT_STRATEGY, constants.Z_FIXED, constants.Z_RLE]),
  })
  const made: Buffer[] = []
  let piece: Buffer[] = []
  deflate.on('data', (chunk: Buffer) => void piece.push(chunk))
  const kind = choice.weighted({ good: 10, damaged: 4, bomb: 1, trailing: 1 })
  const bomb = kind === 'bomb' ? [Buffer.alloc(choice.upTo(20_000_000))] : []
  for (const octets of [...plain, ...bomb]) {
    const flush = choice.of([constants.Z_SYNC_FLUSH, constants.Z_FULL_FLUSH])
    deflate.write(octets)
    await new Promise<void>((resolve) => deflate.flush(flush, resolve))
    made.push(Buffer.concat(piece))
    piece = []
  }
  deflate.destroy()
  if (kind === 'trailing') made.push(Buffer.from('0300816a2062', 'hex'), made[0] ?? Buffer.alloc(0))
  if (kind === 'damaged' && made.length > 0) {
    const at = choice.int(0, made.length - 1)
    made[at] = damaged(made[at] as Buffer, choice)
  }
  return made
}
