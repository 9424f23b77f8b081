import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { multiportSyslogtcpSource } from '@millrace/agent-core/internal/sources/multiport-syslogtcp'
import { netcatudpSource } from '@millrace/agent-core/internal/sources/netcatudp'
import { syslogtcpSource } from '@millrace/agent-core/internal/sources/syslogtcp'
import { syslogudpSource } from '@millrace/agent-core/internal/sources/syslogudp'
import type { ComponentDefinition, Source } from '@millrace/component'
import { createContext, type Settings } from '@millrace/testkit'
import { sourceContext } from '../../support/component-context.js'
import { freePort } from '../../support/free-port.js'
import { leaveDatagrams, leaveLines, syslogLine } from '../../support/syslog-peer.js'
import { until } from '../../support/until.js'

describe('listening sources', () => {
  const started: Source[] = []
  afterEach(async () => {
    for (const source of started.splice(0)) await source.stop?.({ deadlineMs: 1_000 })
  })

  async function start(definition: ComponentDefinition<'source'>, settings: Settings) {
    const source = definition.create(createContext(definition, settings) as never)
    const context = sourceContext()
    started.push(source)
    await source.start?.(context)
    const events = async (count: number) => {
      await until(() => context.channel.events.length >= count, { what: `${count} events` })
      return context.channel.events
    }
    return { context, events }
  }

  it('tell the address, the name and the port of a syslog sender', async () => {
    const [port, other] = [await freePort(), await freePort()]
    const { events, context } = await start(multiportSyslogtcpSource, {
      host: '127.0.0.1',
      ports: `${port} ${other}`,
      portHeader: 'port',
      clientIPHeader: 'ip',
      clientHostnameHeader: 'name',
      'charset.port.1': 'ISO-8859-1',
    })
    await leaveLines(connect({ host: '127.0.0.1', port: other }), [syslogLine('x'), 'bad\n'])
    const [good, bad] = await events(2)
    assert.equal(good?.headers['ip'], '127.0.0.1')
    assert.equal(good?.headers['port'], String(other))
    assert.ok(good?.headers['name'])
    assert.equal(bad?.headers['ip'], '127.0.0.1')
    await until(() => context.counters.openConnectionCount === 0, { what: 'no connection' })
  })

  it('deliver what a syslog sender wrote before it closed without a line feed', async () => {
    const port = await freePort()
    const { events } = await start(syslogtcpSource, { host: '127.0.0.1', port: String(port) })
    await leaveLines(connect({ host: '127.0.0.1', port }), [syslogLine('one').trimEnd()])
    const [event] = await events(1)
    assert.equal(event?.text, 'one')
    assert.equal(event?.headers['flume.syslog.status'], 'Incomplete')
  })

  it('take datagrams up to their first line feed, large ones too, and count empty ones', async () => {
    const port = await freePort()
    const { events, context } = await start(syslogudpSource, {
      host: '127.0.0.1',
      port: String(port),
      clientIPHeader: 'ip',
    })
    const large = 'x'.repeat(60_000)
    await leaveDatagrams(port, ['', `${syslogLine('one')}two`, syslogLine(large)])
    const [one, two] = await events(2)
    assert.deepEqual([one?.text, two?.text], ['one', large])
    assert.equal(one?.headers['ip'], '127.0.0.1')
    assert.equal(context.counters.eventReadFail, 1)
  })

  it('tell the address of who sent a datagram, under the name that remoteAddress gives', async () => {
    const port = await freePort()
    const { events } = await start(netcatudpSource, { port: String(port), remoteAddress: 'from' })
    await leaveDatagrams(port, ['one\ntwo'])
    const [event] = await events(1)
    assert.equal(event?.text, 'one')
    assert.match(event?.headers['from'] ?? '', /^\/127\.0\.0\.1:\d+$/)
  })

  it('do not start when one of their ports is taken', async () => {
    const [port, other] = [await freePort(), await freePort()]
    await start(syslogtcpSource, { host: '127.0.0.1', port: String(port) })
    const ports = `${other} ${port}`
    await assert.rejects(start(multiportSyslogtcpSource, { host: '127.0.0.1', ports }), {
      code: 'MILLRACE_LIFECYCLE_START_FAILED',
    })
    await start(syslogtcpSource, { host: '127.0.0.1', port: String(other) })
  })
})
