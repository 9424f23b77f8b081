/** Program: lets real clients of Flume talk to real sources of Flume, and keeps what they say. */
import { mkdirSync } from 'node:fs'
import { FLUME_VERSIONS, type FlumeVersion } from './class-path.js'
import { type Conversation, conversationsDirectory, writeConversation } from './conversation.js'
import { closeJavaPeers, javaPeer } from './java-peer.js'
import { Place, type PlaceOptions } from './place.js'
import { RecordingProxy } from './recording-proxy.js'

type Head = Pick<Conversation, 'name' | 'about'> & Partial<Pick<Conversation, 'compression'>>

async function record(
  head: Head,
  version: FlumeVersion,
  options: PlaceOptions,
  talk: (port: number) => Promise<void>,
): Promise<void> {
  const place = await Place.make(options)
  const agent = await place.run(version)
  const proxy = await RecordingProxy.start(place.port())
  await talk(proxy.port)
  await proxy.close()
  await agent.stop()
  const { connections } = proxy
  writeConversation({ compression: 'none', ...head, connections })
  console.log(`${head.name}: ${connections.map((steps) => `${steps.length} steps`).join(', ')}`)
}

const hosts = (port: number) => ({ hosts: 'h1', 'hosts.h1': `127.0.0.1:${port}` })

mkdirSync(conversationsDirectory, { recursive: true })
for (const version of FLUME_VERSIONS) {
  const both = `A client of Flume ${version} and a source of Flume ${version}`
  await record({ name: `flume-${version}-plain`, about: both }, version, {}, (port) =>
    javaPeer(version).converse(hosts(port)),
  )
  const compression = { 'compression-type': 'deflate' }
  await record(
    { name: `flume-${version}-deflate`, about: both, compression: 'deflate' },
    version,
    { sources: { r1: compression } },
    (port) => javaPeer(version).converse({ ...hosts(port), ...compression }),
  )
  await record(
    { name: `flume-${version}-refused`, about: `${both} whose channel takes one event` },
    version,
    { channel: { capacity: '1', transactionCapacity: '1', 'keep-alive': '0' }, storeBatch: 1 },
    async (port) => {
      const talk = javaPeer(version).converse(hosts(port))
      await talk.then(
        () => Promise.reject(new Error('The source takes more than one event')),
        () => undefined,
      )
    },
  )
}
await record(
  {
    name: 'avro-1.11-stranger',
    about:
      'A client of Avro 1.11 with a protocol that the source of Flume 1.11 does not know: NONE, then, over a second connection, CLIENT',
  },
  '1.11',
  {},
  async (port) => {
    await javaPeer('1.11').converseAsStranger('127.0.0.1', port)
    await javaPeer('1.11').converseAsStranger('localhost', port)
  },
)
await closeJavaPeers()
