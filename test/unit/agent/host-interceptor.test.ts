import assert from 'node:assert/strict'
import { hostname } from 'node:os'
import { isIPv4 } from 'node:net'
import { hostInterceptor, HostInterceptor } from '@millrace/agent-core/internal/interceptors/host'
import { createLogger, silentLogger, systemClock } from '@millrace/runtime'
import { batchOf } from '../../support/agent.js'

const { signal } = new AbortController()

describe('HostInterceptor', () => {
  const make = (useIP: boolean) =>
    hostInterceptor.create({
      agent: 'a1',
      name: 'i1',
      options: { preserveExisting: false, useIP, hostHeader: 'host' },
      logger: silentLogger,
      clock: systemClock,
      random: Math.random,
    })

  it('writes an address of this machine', async () => {
    const interceptor = make(true)
    await interceptor.start?.({ signal, fail: () => {} })
    const batch = await interceptor.intercept(batchOf('x'), signal)
    assert.ok(isIPv4(batch.headerAt(0, 'host') ?? ''))
  })

  it('writes the host name with useIP = false', async () => {
    const interceptor = make(false)
    await interceptor.start?.({ signal, fail: () => {} })
    const batch = await interceptor.intercept(batchOf('x'), signal)
    const name = batch.headerAt(0, 'host') ?? ''
    assert.ok(name.startsWith(hostname().split('.')[0] ?? '?'), name)
  })

  it('writes nothing, and says so, when the host cannot be found', async () => {
    const lines: string[] = []
    const interceptor = new HostInterceptor({
      edit: { name: 'host' },
      resolve: () => Promise.reject(new Error('no name service')),
      logger: createLogger({ level: 'warn', write: (line) => lines.push(line) }),
    })
    await interceptor.start()
    const batch = batchOf('x')
    assert.deepEqual(interceptor.intercept(batch).headersAt(0), batch.headersAt(0))
    assert.match(lines.join(''), /own host cannot be found.*no name service/)
  })
})
