import { blobDeserializer } from '@millrace/agent-core/internal/deserializers/blob'
import { lineDeserializer } from '@millrace/agent-core/internal/deserializers/line'
import { deserializerContract } from '@millrace/testkit'

deserializerContract({
  definition: lineDeserializer,
  file: Buffer.from('one\ntwo\r\n\nfünf\nlast'),
  bodies: ['one', 'two\r', '', 'fünf', 'last'],
})

deserializerContract({
  definition: blobDeserializer,
  settings: { maxBlobLength: '4' },
  file: Buffer.from('aaaabbbbcc'),
  bodies: ['aaaa', 'bbbb', 'cc'],
})
