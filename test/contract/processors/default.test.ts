import { defaultProcessor } from '@millrace/agent-core/internal/processors/default'
import { sinkProcessorContract } from '@millrace/testkit'

sinkProcessorContract({ definition: defaultProcessor, sinks: ['k1'] })
