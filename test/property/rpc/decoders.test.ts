/** Seeded: FUZZ_SEED=<n> repeats a run, FUZZ_MS=<n> makes it longer. */
import assert from 'node:assert/strict'
import { Duplex } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import { EventBatch } from '@millrace/event'
import { FrameReader } from '@millrace/rpc/internal/framing/frame-reader'
import { EnvelopeReader } from '@millrace/rpc/internal/protocol/avro-primitives'
import {
  readHandshakeRequest,
  readHandshakeResponse,
} from '@millrace/rpc/internal/protocol/handshake'
import { readOutcome } from '@millrace/rpc/internal/protocol/response'
import { Admission } from '@millrace/rpc/internal/server/admission'
import { KnownProtocols } from '@millrace/rpc/internal/server/known-protocols'
import { serverLimits } from '@millrace/rpc/internal/server/limits'
import { Session } from '@millrace/rpc/internal/server/session'
import { MillraceError, type Random, seededRandom, systemClock } from '@millrace/runtime'
import {
  clientAnswer,
  errorAnswer,
  FIRST_APPEND,
  FIRST_OK,
  frame,
  noneAnswer,
  SECOND_BATCH,
  SECOND_OK,
} from '../../support/rpc/golden.js'

const FUZZ_MS = Number(process.env['FUZZ_MS'] ?? 1_000)
const SEED = Number(process.env['FUZZ_SEED'] ?? 20_261_124)

/** Cuts, flips, repeats and inserts octets. */
function mutate(bytes: Buffer, random: Random): Buffer {
  const at = () => Math.floor(random() * (bytes.length + 1))
  const copy = Buffer.from(bytes)
  switch (Math.floor(random() * 5)) {
    case 0:
      return copy.subarray(0, at())
    case 1: {
      for (let n = 1 + Math.floor(random() * 4); n > 0; n -= 1) {
        copy[Math.floor(random() * copy.length)] = Math.floor(random() * 256)
      }
      return copy
    }
    case 2: {
      const [from, to] = [at(), at()].sort((a, b) => a - b)
      return Buffer.concat([copy, copy.subarray(from, to)])
    }
    case 3: {
      const insert = at()
      const noise = Buffer.from(Array.from({ length: 4 }, () => Math.floor(random() * 256)))
      return Buffer.concat([copy.subarray(0, insert), noise, copy.subarray(insert)])
    }
    default: {
      const position = Math.floor(random() * Math.max(1, copy.length - 4))
      if (copy.length >= position + 4)
        copy.writeInt32BE(Math.floor((random() - 0.5) * 2 ** 32), position)
      return copy
    }
  }
}

function cut(bytes: Buffer, random: Random): Buffer[] {
  const chunks: Buffer[] = []
  for (let at = 0; at < bytes.length; ) {
    const end = Math.min(bytes.length, at + 1 + Math.floor(random() * 60))
    chunks.push(Buffer.from(bytes.subarray(at, end)))
    at = end
  }
  return chunks
}

async function fuzz(body: (random: Random) => unknown): Promise<void> {
  const deadline = performance.now() + FUZZ_MS
  for (let round = 0; performance.now() < deadline; round += 1) {
    try {
      await body(seededRandom(SEED + round))
    } catch (error) {
      throw new Error(`seed ${SEED + round}`, { cause: error })
    }
  }
}

/** Whatever they are given, decoders say it with an error of ours, or decode. */
const decodes = (decode: () => unknown) => {
  try {
    decode()
  } catch (error) {
    assert.ok(MillraceError.is(error), String(error))
    assert.match(error.code, /^MILLRACE_(AVRO|RPC)_/)
  }
}

describe('decoders under damaged input', function () {
  this.timeout(FUZZ_MS + 20_000)
  const requests = Buffer.concat([FIRST_APPEND, SECOND_BATCH, frame(3, '00 00'), SECOND_BATCH])
  const answers = [FIRST_OK, SECOND_OK, noneAnswer(1), clientAnswer(2), errorAnswer(3, 'text')]

  it('FrameReader gives the same frames, and the same error, however the stream is cut', async () => {
    const limits = { maxFrameBytes: 5_000, maxBuffersPerFrame: 50 }
    const read = (chunks: readonly Buffer[]) => {
      const reader = new FrameReader(limits)
      const frames: string[] = []
      try {
        for (const chunk of chunks) {
          reader.push(chunk)
          while (reader.next()) {
            const { serial, bytes, start, end } = reader
            frames.push(`${serial} ${bytes.toString('hex', start, end)}`)
          }
        }
      } catch (error) {
        assert.ok(MillraceError.is(error))
        frames.push(error.code)
      }
      return frames
    }
    await fuzz((random) => {
      const stream = mutate(mutate(requests, random), random)
      assert.deepEqual(read(cut(stream, random)), read([Buffer.from(stream)]))
    })
  })

  it('envelopes, handshakes and answers are decoded or refused', async () => {
    await fuzz((random) => {
      const sample = answers[Math.floor(random() * answers.length)] ?? FIRST_OK
      for (const bytes of [
        mutate(sample.subarray(12), random),
        mutate(FIRST_APPEND.subarray(12), random),
      ]) {
        const envelope = () => new EnvelopeReader(bytes, 0, bytes.length)
        decodes(() => readHandshakeRequest(envelope()))
        decodes(() => readHandshakeResponse(envelope()))
        decodes(() => readOutcome(envelope()))
        decodes(() => EventBatch.scanArray(bytes))
      }
    })
  })

  it('a session answers or closes, holds nothing afterwards, and hands on only whole events', async () => {
    await fuzz(async (random) => {
      const admission = new Admission(1_000_000)
      const stream = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() })
      const broken: unknown[] = []
      let isEnded = false
      const handler = (batch: EventBatch) => {
        assert.equal([...batch].length, batch.size)
        for (const event of batch) assert.ok(event.headers && event.body)
        return random() < 0.2 ? Promise.reject(new Error('no')) : Promise.resolve()
      }
      const session = new Session(stream, '127.0.0.1', {
        handler: { append: handler, appendBatch: handler },
        limits: serverLimits({ maxFrameBytes: 5_000, maxBuffersPerFrame: 50 }),
        admission,
        protocols: new KnownProtocols(),
        clock: systemClock,
        unreadable: () => undefined,
        broken: (error) => broken.push(error),
        ended: () => {
          isEnded = true
        },
      })
      for (const chunk of cut(mutate(mutate(requests, random), random), random)) {
        if (!stream.destroyed) stream.push(chunk)
      }
      for (let i = 0; i < 5; i += 1) await turn()
      stream.destroy()
      await turn()
      assert.ok(isEnded)
      assert.equal(typeof session.isInsideFrame, 'boolean')
      assert.equal(admission.heldBytes, 0)
      for (const error of broken) assert.ok(MillraceError.is(error), String(error))
    })
  })
})
