import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import {
  avroEventSerializer,
  AvroEventSerializer,
} from '@millrace/agent-core/internal/serializers/avro-event'
import { EventBatch, type EventInit } from '@millrace/event'
import avro from 'avsc'
import * as fc from 'fast-check'

interface Container {
  readonly records: readonly { headers: Record<string, string>; body: Buffer }[]
  readonly metadata: Record<string, Buffer>
  readonly blocks: number
}

/** Reads a container file with avsc. */
async function readContainer(bytes: Buffer): Promise<Container> {
  const decoder = new avro.streams.BlockDecoder()
  const records: Container['records'][number][] = []
  let metadata: Record<string, Buffer> = {}
  decoder.on('metadata', (_type: unknown, _codec: unknown, header: { meta: typeof metadata }) => {
    metadata = header.meta
  })
  for await (const record of Readable.from([bytes]).pipe(decoder)) {
    records.push(record as Container['records'][number])
  }
  const sync = bytes.subarray(bytes.length - 16)
  let blocks = -1
  for (let at = bytes.indexOf(sync); at >= 0; at = bytes.indexOf(sync, at + 1)) blocks += 1
  return { records, metadata, blocks }
}

const DEFAULTS = { syncIntervalBytes: 2_048_000, compressionCodec: 'null' }

async function serialized(
  batches: readonly EventBatch[],
  options: Partial<typeof DEFAULTS> = {},
): Promise<Buffer> {
  const serializer = new AvroEventSerializer({ ...DEFAULTS, ...options })
  const parts = [serializer.header()]
  for (const batch of batches) parts.push(await serializer.serialize(batch))
  return Buffer.concat(parts)
}

const eventArbitrary: fc.Arbitrary<EventInit> = fc.record({
  headers: fc.dictionary(fc.string(), fc.string(), { maxKeys: 4 }),
  body: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
})

describe('avro_event serializer', () => {
  it('writes the bytes that Flume writes', async () => {
    const bytes = await serialized([
      EventBatch.of([{ headers: { k: 'v' }, body: 'hello' }, { body: '' }]),
    ])
    const header =
      '4f626a0104166176726f2e736368656d618a02' +
      Buffer.from(
        '{"type":"record","name":"Event","fields":[{"name":"headers","type":{"type":"map","values":"string"}},{"name":"body","type":"bytes"}]}',
      ).toString('hex') +
      '146176726f2e636f646563086e756c6c00'
    assert.equal(bytes.length, 185 + 2 + 14 + 16)
    assert.equal(bytes.subarray(0, 169).toString('hex'), header)
    assert.equal(bytes.subarray(185, 201).toString('hex'), '041c02026b0276000a68656c6c6f0000')
    assert.deepEqual(bytes.subarray(201), bytes.subarray(169, 185))
  })

  for (const compressionCodec of ['null', 'deflate']) {
    it(`writes files that avsc reads, with codec ${compressionCodec}`, async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.array(eventArbitrary, { maxLength: 8 }), { maxLength: 4 }),
          fc.integer({ min: 32, max: 600 }),
          async (batches, syncIntervalBytes) => {
            const options = { compressionCodec, syncIntervalBytes }
            const file = await serialized(
              batches.map((events) => EventBatch.of(events)),
              options,
            )
            const { records, metadata } = await readContainer(file)
            assert.equal(metadata['avro.codec']?.toString(), compressionCodec)
            assert.deepEqual(
              records.map(({ headers, body }) => ({ headers: { ...headers }, body })),
              batches.flat().map(({ headers, body }) => ({ headers: asAvscReads(headers), body })),
            )
          },
        ),
        { numRuns: 60 },
      )
    })
  }

  it('ends a block with each batch and splits a batch at the sync interval', async () => {
    const events = Array.from({ length: 10 }, () => ({ body: 'x'.repeat(98) }))
    const whole = await readContainer(
      await serialized([EventBatch.of(events), EventBatch.of(events)]),
    )
    assert.equal(whole.blocks, 2)
    const split = await readContainer(
      await serialized([EventBatch.of(events)], { syncIntervalBytes: 505 }),
    )
    assert.deepEqual([split.blocks, split.records.length], [2, 10])
  })

  it('gives no block for an empty batch', async () => {
    assert.equal((await serialized([EventBatch.empty()])).length, 185)
  })

  it('writes no codec for a name that is none, and no compression', async () => {
    const file = await serialized([EventBatch.of([{ body: 'a' }])], { compressionCodec: 'brotli' })
    const { metadata, records } = await readContainer(file)
    assert.deepEqual([Object.keys(metadata), records.length], [['avro.schema'], 1])
  })

  it('refuses codecs that it knows and cannot write, and warns of others', () => {
    const findings = (compressionCodec: string) =>
      avroEventSerializer
        .check?.({ ...DEFAULTS, compressionCodec }, { channels: [], sinks: [] })
        .map((problem) => [problem.severity ?? 'error', problem.code])
    assert.deepEqual(findings('null'), [])
    assert.deepEqual(findings('deflate'), [])
    for (const codec of ['snappy', 'bzip2', 'xz', 'zstandard']) {
      assert.deepEqual(findings(codec), [['error', 'MILLRACE_CONFIG_UNSUPPORTED']])
    }
    assert.deepEqual(findings('brotli'), [['warning', undefined]])
  })
})

/** avsc reads a map into an ordinary object, in which a key `__proto__` is lost. */
function asAvscReads(
  headers: Readonly<Record<string, string>> | undefined,
): Record<string, string> {
  return Object.fromEntries(Object.entries(headers ?? {}).filter(([key]) => key !== '__proto__'))
}
