import { loadBalanceProcessor } from '@millrace/agent-core/internal/processors/load-balance'
import { sinkProcessorContract } from '@millrace/testkit'

for (const selector of ['round_robin', 'random']) {
  for (const backoff of ['false', 'true']) {
    describe(`with processor.selector = ${selector}, processor.backoff = ${backoff}`, () => {
      sinkProcessorContract({
        definition: loadBalanceProcessor,
        settings: { 'processor.selector': selector, 'processor.backoff': backoff },
        sinks: ['k1', 'k2', 'k3'],
      })
    })
  }
}
