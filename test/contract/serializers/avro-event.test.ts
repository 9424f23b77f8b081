import { Readable } from 'node:stream'
import { avroEventSerializer } from '@millrace/agent-core/internal/serializers/avro-event'
import { serializerContract } from '@millrace/testkit'
import avsc from 'avsc'

/** Reads a container file with avsc. */
function read(file: Buffer): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const bodies: string[] = []
    const decoder = new avsc.streams.BlockDecoder()
    decoder.on('data', (event: { body: Buffer }) => bodies.push(event.body.toString()))
    decoder.on('error', reject)
    decoder.on('end', () => resolve(bodies))
    Readable.from([file]).pipe(decoder)
  })
}

serializerContract({ definition: avroEventSerializer, read })
