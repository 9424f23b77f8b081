/** Servers for each pair of layers in this process, over one handler. */
import {
  AvroRpcClient,
  type AvroRpcClientOptions,
  AvroRpcServer,
  type ServerLimits,
} from '@millrace/rpc'
import { EventBatch } from '@millrace/event'
import { TestCertificate } from '../certificates.js'
import { RecordingHandler } from '../rpc/test-server.js'
import type { ServerPorts } from './server-case.js'

export class LayeredServers {
  readonly handler = new RecordingHandler()
  readonly servers: readonly AvroRpcServer[]
  #ports: readonly number[] = []

  constructor(limits: Partial<ServerLimits> = {}) {
    const { key, cert } = new TestCertificate('server', undefined, ['127.0.0.1'])
    const tls = { key, cert }
    const common = { host: '127.0.0.1', port: 0, handler: this.handler, limits }
    this.servers = [
      new AvroRpcServer(common),
      new AvroRpcServer({ ...common, compression: 'deflate' }),
      new AvroRpcServer({ ...common, tls }),
      new AvroRpcServer({ ...common, tls, compression: 'deflate' }),
    ]
  }

  async listen(): Promise<ServerPorts> {
    const addresses = await Promise.all(this.servers.map((server) => server.listen()))
    this.#ports = addresses.map(({ port }) => port)
    const [plain = 0, deflate = 0, tls = 0, tlsDeflate = 0] = this.#ports
    return { plain, deflate, tls, tlsDeflate }
  }

  get connectionCount(): number {
    return this.servers.reduce((sum, { connectionCount }) => sum + connectionCount, 0)
  }

  get pendingBytes(): number {
    return this.servers.reduce((sum, { pendingBytes }) => sum + pendingBytes, 0)
  }

  /** A well-behaved client of each is still served. */
  async serve(): Promise<void> {
    for (const layers of this.#layers()) {
      const client = new AvroRpcClient(layers)
      await client.appendBatch(EventBatch.of([{ body: 'served' }]))
      await client.close()
    }
  }

  /** How clients reach each of them. */
  #layers(): AvroRpcClientOptions[] {
    const [plain = 0, deflate = 0, secured = 0, both = 0] = this.#ports
    const host = '127.0.0.1'
    const tls = { trustAll: true }
    return [
      { host, port: plain },
      { host, port: deflate, compression: 'deflate' },
      { host, port: secured, tls },
      { host, port: both, compression: 'deflate', tls },
      { host, port: both, compression: 'deflate', tls: { ...tls, outermost: 'tls' } },
    ]
  }

  async close(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.close({ deadlineMs: 100 })))
  }
}
