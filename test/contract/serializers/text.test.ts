import { textSerializer } from '@millrace/agent-core/internal/serializers/text'
import { serializerContract } from '@millrace/testkit'

serializerContract({
  definition: textSerializer,
  read: (file) => file.toString().split('\n').slice(0, -1),
})
