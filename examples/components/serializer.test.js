import { serializerContract } from '@millrace/testkit'
import definition from './serializer.js'

serializerContract({
  definition,
  read: (file) =>
    file
      .toString()
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line).body),
})
