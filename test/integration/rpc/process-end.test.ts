import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { repository } from '../../support/repository.js'
import { Closing, startServer } from '../../support/rpc/test-server.js'
import { until } from '../../support/until.js'

const PROGRAM = join(repository, 'test', 'dist', 'bench', 'rpc', 'idle-client.js')

describe('a process with an open client connection', () => {
  const closing = new Closing()
  const run = async (mode: 'ref' | 'unref') => {
    const { port, handler, server } = await startServer({}, closing.step)
    const child = spawn(process.execPath, [PROGRAM, String(port), mode], { stdio: 'pipe' })
    closing.step(() => child.kill('SIGKILL'))
    let output = ''
    child.stdout.on('data', (chunk) => {
      output += String(chunk)
    })
    await until(() => output === 'sent\n', { what: 'the program sends', timeoutMs: 15_000 })
    assert.deepEqual(handler.bodies, ['once'])
    return { child, server }
  }

  it('ends when the connection is not to keep it alive', async () => {
    const { child } = await run('unref')
    await until(() => child.exitCode === 0, { what: 'it ends', timeoutMs: 3_000 })
  })

  it('stays when it is, until the connection ends', async () => {
    const { child, server } = await run('ref')
    assert.equal(server.connectionCount, 1)
    assert.equal(child.exitCode, null)
    await server.close({ deadlineMs: 100 })
    await until(() => child.exitCode === 0, { what: 'it ends', timeoutMs: 3_000 })
  })
})
