import assert from 'node:assert/strict'
import { parseGangliaHosts } from '@millrace/agent-core/internal/monitors/ganglia-monitor'
import {
  ganglia3Message,
  gangliaMessages,
} from '@millrace/agent-core/internal/monitors/ganglia-message'

describe('datagrams of Ganglia', () => {
  const metric = { host: 'h1', name: 'flume.CHANNEL.c1.ChannelSize', value: '3' }
  const hex = (text: string) => text.replaceAll(/[\s|]/g, '')

  it('are those that Flume sends, for 3.1', () => {
    const [metadata, value] = gangliaMessages(metric).map((each) => each.toString('hex'))
    assert.equal(
      metadata,
      hex(`00000080 | 00000002 68310000
        | 0000001c 666c756d652e4348414e4e454c2e63312e4368616e6e656c53697a65 | 00000000
        | 00000005 666c6f6174 000000
        | 0000001c 666c756d652e4348414e4e454c2e63312e4368616e6e656c53697a65 | 00000000
        | 00000003 | 0000003c | 00000000 | 00000001 | 00000005 47524f5550 000000
        | 00000005 666c756d65 000000`),
    )
    assert.equal(
      value,
      hex(`00000085 | 00000002 68310000
        | 0000001c 666c756d652e4348414e4e454c2e63312e4368616e6e656c53697a65 | 00000000
        | 00000002 25730000 | 00000001 33 000000`),
    )
  })

  it('are those that Flume sends, for 3.0', () => {
    assert.equal(
      ganglia3Message(metric).toString('hex'),
      hex(`00000000 | 00000005 666c6f6174 000000
        | 0000001f 68312e666c756d652e4348414e4e454c2e63312e4368616e6e656c53697a65 00
        | 00000001 33 000000 | 00000000 | 00000003 | 0000003c | 00000000`),
    )
  })

  it('call a text a string', () => {
    const [metadata] = gangliaMessages({ ...metric, value: 'CHANNEL' })
    assert.ok(metadata?.includes('string'))
  })

  it('go to hosts between commas or blanks, and to nobody else', () => {
    const { hosts, bad } = parseGangliaHosts(['a:1,b:2,', '[::1]:3', 'c', 'd:0', 'e:70000'])
    assert.deepEqual(hosts, [
      { host: 'a', port: 1 },
      { host: 'b', port: 2 },
      { host: '::1', port: 3 },
    ])
    assert.deepEqual(bad, ['c', 'd:0', 'e:70000'])
  })
})
