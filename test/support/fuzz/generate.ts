/** Hostile conversations, each from its seed alone. */
import { Choice } from '../wal/choice.js'
import { type Corpus, type Dialogue, generatedAnswers, generatedRequests } from './corpus.js'
import type { FuzzCase, RecordFault } from './fuzz-case.js'
import { damaged, deflatedPieces, mutated, pieces, streamOf } from './mutations.js'

/** Octets of other protocols, and the beginnings of their handshakes. */
const STRANGERS: readonly Buffer[] = [
  Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n'),
  Buffer.from('SSH-2.0-OpenSSH_9.6\r\n'),
  Buffer.from('1603010200010001fc0303', 'hex'),
  Buffer.from('16030100050100000100', 'hex'),
  Buffer.from('789c0300000000', 'hex'),
  Buffer.from('789c', 'hex'),
  Buffer.from('78bb00000000', 'hex'),
  Buffer.from('80', 'hex'),
]

const KINDS = ['flip', 'type', 'version', 'length', 'drop', 'double', 'cut', 'alert'] as const

const recordFaults = (choice: Choice): RecordFault[] =>
  Array.from({ length: choice.chance(0.5) ? 0 : choice.int(1, 3) }, () => ({
    record: choice.int(0, 8),
    kind: choice.of(KINDS),
    value: choice.int(0, 70_000),
  }))

async function conversation(
  choice: Choice,
  draw: { dialogue: () => Dialogue; about: string; stepsOf: (frames: Dialogue) => Buffer[] },
): Promise<FuzzCase> {
  const { compression, tls } = choice.of([
    { compression: 'none', tls: false },
    { compression: 'none', tls: false },
    { compression: 'deflate', tls: false },
    { compression: 'deflate', tls: false },
    { compression: 'none', tls: true },
    { compression: 'deflate', tls: true },
  ] as const)
  const order = compression === 'deflate' && choice.chance(0.5) ? 'tls-in-zlib' : 'tls'
  const speaks = tls && choice.chance(0.8) ? order : 'nothing'
  let steps = draw.stepsOf(mutated(draw.dialogue(), draw.dialogue, choice))
  if (choice.chance(0.03)) steps = [choice.of(STRANGERS), ...steps]
  const isDeflatedByUs = compression === 'deflate' && speaks !== 'tls-in-zlib'
  if (isDeflatedByUs) steps = await deflatedPieces(steps, choice)
  if (tls && speaks === 'nothing') steps = [damaged(choice.of(STRANGERS), choice), ...steps]
  const ending = choice.weighted({ end: 6, reset: 1, silent: 1 })
  const records = speaks === 'nothing' ? [] : recordFaults(choice)
  return { about: draw.about, compression, tls, speaks, records, steps, ending }
}

/** What a client does to a server. */
export function attackOnServer(seed: number, corpus: Corpus): Promise<FuzzCase> {
  const choice = new Choice(seed)
  const dialogue = () =>
    choice.chance(0.4) ? choice.of(corpus.requests) : generatedRequests(choice)
  return conversation(choice, {
    dialogue,
    about: `seed ${seed}`,
    stepsOf: (frames) => pieces(streamOf(frames, choice), 12, choice),
  })
}

/** What a server does to a client: one step for each thing that the client says. */
export function attackOnClient(seed: number, corpus: Corpus): Promise<FuzzCase> {
  const choice = new Choice(seed)
  const dialogue = () => (choice.chance(0.4) ? choice.of(corpus.answers) : generatedAnswers(choice))
  return conversation(choice, {
    dialogue,
    about: `seed ${seed}`,
    stepsOf: (frames) =>
      choice.chance(0.7)
        ? frames.map((frame) => streamOf([frame], choice))
        : pieces(streamOf(frames, choice), 6, choice),
  })
}
