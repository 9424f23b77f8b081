import { headerAndTextSerializer } from '@millrace/agent-core/internal/serializers/header-and-text'
import { serializerContract } from '@millrace/testkit'

serializerContract({
  definition: headerAndTextSerializer,
  read: (file) => file.toString().split('\n').slice(0, -1),
  expected: (batch, index) => {
    const headers = Object.entries(batch.headersAt(index)).map(([key, value]) => `${key}=${value}`)
    return `{${headers.join(', ')}} ${batch.bodyAt(index).toString()}`
  },
})
