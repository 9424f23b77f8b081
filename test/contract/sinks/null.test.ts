import { nullSink } from '@millrace/agent-core/internal/sinks/null'
import { sinkContract } from '@millrace/testkit'

sinkContract({ definition: nullSink, open: () => ({ settings: {} }) })
