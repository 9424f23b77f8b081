import assert from 'node:assert/strict'
import { runScript } from '../../support/run-script.js'

describe('pino’s worker at its end', function () {
  this.timeout(60_000)

  it('closes by itself before pino’s 10 s are over, whatever closeTimeoutMs says', async () => {
    const { code, stderr, durationMs } = await runScript(
      `
      import { pino } from 'pino'
      pino(pino.transport({ target: '@millrace/pino',
        options: { hosts: ['127.0.0.1:1'], closeTimeoutMs: 60_000 } })).info('x')`,
      { timeoutMs: 40_000 },
    )
    assert.equal(code, 0)
    assert.match(stderr, /dropped: not delivered when the appender closed/)
    assert.ok(durationMs > 8_500 && durationMs < 12_000, String(durationMs))
  })
})
