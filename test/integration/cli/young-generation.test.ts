import assert from 'node:assert/strict'
import { join } from 'node:path'
import { Command } from '../../support/command.js'
import { repository } from '../../support/repository.js'

const MEGABYTE = 1024 * 1024

/** Most megabytes of buffers that a program held which made and dropped 200 MB of them. */
async function mostHeld(isCollected: boolean): Promise<number> {
  const module = join(repository, 'packages', 'cli', 'dist', 'esm', 'young-generation.js')
  const program = `
    const { youngGenerationCollector } = await import(${JSON.stringify(module)})
    const told = ${isCollected} ? youngGenerationCollector() : () => {}
    let most = 0
    for (let i = 0; i < 800; i += 1) {
      let dropped = Buffer.allocUnsafeSlow(262144)
      told(dropped.length)
      dropped = undefined
      most = Math.max(most, process.memoryUsage().arrayBuffers)
      if (i % 8 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    console.log(most)`
  const command = new Command(['--input-type=module', '--eval', program])
  const { code, stdout, stderr } = await command.finished
  assert.equal(code, 0, stderr)
  return Number(stdout) / MEGABYTE
}

describe('the collector of the young generation', () => {
  it('keeps dropped buffers from piling up', async () => {
    const [left, collected] = [await mostHeld(false), await mostHeld(true)]
    assert.ok(collected < 16, `${collected} MB were held`)
    assert.ok(left > collected, `${left} MB are held without it`)
  })
})
