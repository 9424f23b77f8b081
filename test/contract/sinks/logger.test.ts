import { loggerSink } from '@millrace/agent-core/internal/sinks/logger'
import { sinkContract } from '@millrace/testkit'

sinkContract({ definition: loggerSink, open: () => ({ settings: {} }) })
