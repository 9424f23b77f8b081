import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { mockReceiver } from '@millrace/testkit/receiver'

const program = fileURLToPath(new URL('../../support/logging-process.js', import.meta.url))

interface Ended {
  readonly code: number | null
  readonly output: string
}

function run(hosts: string, mode: string): Promise<Ended> {
  const child = spawn(process.execPath, [program, hosts, mode], {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 10_000,
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  return new Promise((resolve) => {
    child.on('close', (code) => resolve({ code, output }))
  })
}

describe('a process that logs', () => {
  it('is not kept alive by an appender that has a connection', async () => {
    const receiver = await mockReceiver()
    const { code, output } = await run(receiver.address, 'flush')
    assert.deepEqual({ code, output }, { code: 0, output: 'flushed true\n' })
    assert.equal(receiver.events.length, 3)
    await receiver.close()
  })

  it('is kept alive by events that cannot be delivered for exitTimeoutMs, and no longer', async () => {
    const started = performance.now()
    const { code } = await run('127.0.0.1:1', 'log')
    assert.equal(code, 0)
    assert.ok(performance.now() - started >= 700)
  })

  it('is kept alive by a flush until its deadline', async () => {
    const { code, output } = await run('127.0.0.1:1', 'flush')
    assert.deepEqual({ code, output }, { code: 0, output: 'flushed false\n' })
  })

  it('delivers its last words when it awaits close', async () => {
    const receiver = await mockReceiver()
    const { code, output } = await run(receiver.address, 'close')
    assert.deepEqual({ code, output }, { code: 0, output: 'closed 3\n' })
    assert.equal(receiver.events.length, 3)
    await receiver.close()
  })
})
