import assert from 'node:assert/strict'
import { type MockReceiver, mockReceiver } from '@millrace/testkit/receiver'
import { javascriptBlocks } from '../../support/guide-blocks.js'
import { runScript } from '../../support/run-script.js'

describe('the guide of pino', () => {
  let receiver: MockReceiver
  before(async () => {
    receiver = await mockReceiver()
  })
  after(() => receiver.close())

  it('has programs that run as they stand and deliver', async () => {
    const blocks = javascriptBlocks('docs/guides/pino.md', receiver.port)
    assert.ok(blocks.length >= 3)
    for (const block of blocks) {
      receiver.clear()
      const result = await runScript(block)
      assert.equal(result.code, 0, `${block}\n${result.stderr}`)
      assert.equal(receiver.events.length, 1, block)
      if (block.includes('r-1')) assert.equal(receiver.events[0]?.headers['mdc.requestId'], 'r-1')
    }
  })
})
