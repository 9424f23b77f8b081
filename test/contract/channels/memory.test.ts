import { memoryChannel } from '@millrace/agent-core/internal/channels/memory'
import { channelContract } from '@millrace/testkit'

channelContract({ definition: memoryChannel })
