/** A TCP proxy that keeps what each side says. */
import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { until } from '../until.js'
import type { Step, Who } from './conversation.js'

export class RecordingProxy {
  /** Of each connection, in the order in which they were made. */
  readonly connections: Step[][] = []
  readonly #server: Server
  #open = 0

  private constructor(targetPort: number) {
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
      const steps: Step[] = []
      this.connections.push(steps)
      const target = connect({ port: targetPort, host: '127.0.0.1', allowHalfOpen: true })
      this.#relay('client', client, target, steps)
      this.#relay('server', target, client, steps)
    })
  }

  static async start(targetPort: number): Promise<RecordingProxy> {
    const proxy = new RecordingProxy(targetPort)
    proxy.#server.listen(0, '127.0.0.1')
    await once(proxy.#server, 'listening')
    return proxy
  }

  get port(): number {
    const address = this.#server.address()
    return typeof address === 'object' && address ? address.port : 0
  }

  /** Waits until all connections have ended, and stops. */
  async close(): Promise<void> {
    await until(() => this.#open === 0, { timeoutMs: 10_000, what: 'all connections have ended' })
    this.#server.close()
  }

  #relay(who: Who, from: Socket, to: Socket, steps: Step[]): void {
    this.#open += 1
    from.on('data', (octets: Buffer) => {
      const last = steps.at(-1)
      if (last?.who === who)
        steps[steps.length - 1] = { who, octets: Buffer.concat([last.octets, octets]) }
      else steps.push({ who, octets })
      to.write(octets)
    })
    from.on('end', () => to.end())
    from.on('error', () => to.destroy())
    from.on('close', () => {
      this.#open -= 1
      to.end()
    })
  }
}
