import { deserializerContract } from '@millrace/testkit'
import definition from './deserializer.js'

deserializerContract({
  definition,
  settings: { bytes: '3' },
  file: Buffer.from('onetwosixlast'),
  bodies: ['one', 'two', 'six', 'las', 't'],
})
