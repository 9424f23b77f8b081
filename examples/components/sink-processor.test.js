import { sinkProcessorContract } from '@millrace/testkit'
import definition from './sink-processor.js'

sinkProcessorContract({ definition, sinks: ['k1', 'k2'] })
