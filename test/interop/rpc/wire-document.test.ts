import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { EventBatch } from '@millrace/event'
import { AvroRpcClient } from '@millrace/rpc'
import { repository } from '../../support/repository.js'
import { hex } from '../../support/rpc/golden.js'
import { RawPeer, RawServer } from '../../support/rpc/raw-peer.js'
import { Closing, startServer } from '../../support/rpc/test-server.js'

/** The conversation of the format's page: who says what, in order. */
function conversation(): { who: string; octets: Buffer }[] {
  const page = readFileSync(join(repository, 'docs', 'formats', 'wire.md'), 'utf8')
  const block = /```hex\n([\s\S]*?)```/.exec(page)?.[1] ?? ''
  return [...block.matchAll(/^(client|server) ([\da-f\s]+?)(?=^\S|(?![\s\S]))/gm)].map(
    ([, who = '', octets = '']) => ({ who, octets: hex(octets) }),
  )
}

describe('the conversation in the page about the wire', () => {
  const closing = new Closing()
  const lines = conversation()

  it('has two calls with their answers', () => {
    assert.deepEqual(
      lines.map(({ who, octets }) => [who, octets.length]),
      [
        ['client', 71],
        ['server', 27],
        ['client', 42],
        ['server', 23],
      ],
    )
  })

  it('is what a server answers', async () => {
    const { port, handler } = await startServer({}, closing.step)
    const peer = closing.add(await RawPeer.connect(port))
    for (const { who, octets } of lines) {
      if (who === 'client') peer.write(octets)
      else assert.deepEqual(await peer.read(octets.length), octets)
    }
    assert.deepEqual(handler.bodies, ['hello', 'a', 'b'])
  })

  it('is what a client says', async () => {
    const server = closing.add(await RawServer.listen())
    const client = closing.add(new AvroRpcClient({ host: '127.0.0.1', port: server.port }))
    const first = client.append(EventBatch.of([{ headers: { k: 'v' }, body: 'hello' }]))
    const second = client.appendBatch(
      EventBatch.of([{ body: 'a' }, { headers: { k: 'v' }, body: 'b' }]),
    )
    const peer = await server.accept()
    for (const { who, octets } of lines) {
      if (who === 'server') peer.write(octets)
      else assert.deepEqual(await peer.read(octets.length), octets)
    }
    await first
    await second
  })
})
