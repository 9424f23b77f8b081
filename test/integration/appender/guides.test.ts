import assert from 'node:assert/strict'
import { type MockReceiver, mockReceiver } from '@millrace/testkit/receiver'
import { javascriptBlocks } from '../../support/guide-blocks.js'
import { runScript } from '../../support/run-script.js'

/** The guides, and how many programs each has at least. */
const GUIDES = {
  winston: 3,
  log4js: 3,
  pino: 3,
  'process-end': 1,
  recipes: 6,
  'embedded-agent': 1,
}

for (const [guide, programs] of Object.entries(GUIDES)) {
  describe(`the guide ${guide}`, () => {
    let receiver: MockReceiver
    before(async () => {
      receiver = await mockReceiver()
    })
    after(() => receiver.close())

    it('has programs that run as they stand and deliver', async () => {
      const blocks = javascriptBlocks(`docs/guides/${guide}.md`, receiver.port)
      assert.ok(blocks.length >= programs)
      for (const block of blocks) {
        receiver.clear()
        const result = await runScript(block)
        assert.equal(result.code, 0, `${block}\n${result.stderr}`)
        assert.equal(receiver.events.length, 1, block)
        if (block.includes('APPENDER_METRICS')) {
          assert.match(result.stdout, /millrace_appender_delivered_events_total/)
          assert.match(result.stdout, /total 1$|value: 1$|value: 1,$/m)
        }
        const isWithContext = block.includes('r-1')
        if (isWithContext) assert.equal(receiver.events[0]?.headers['mdc.requestId'], 'r-1')
      }
    })
  })
}
