/** Java processes that do with Flume's own classes what a test asks for. */
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { type Deferred, deferred } from '@millrace/runtime'
import { flumeClassPath, type FlumeVersion } from './class-path.js'

/** Start fast and take little of the machine: the peers are few, and live for minutes. */
const JVM_OPTIONS = [
  '-Xmx512m',
  '-XX:+UseSerialGC',
  '-XX:TieredStopAtLevel=1',
  '-Djava.net.preferIPv4Stack=true',
]

export interface SendRequest {
  /** Its events have the bodies `name-0`, `name-1`, … */
  readonly name: string
  /** Of Flume's client. */
  readonly properties: Readonly<Record<string, string>>
  /** 0: until it is told to end. */
  readonly count: number
  /** Events of one call; 0 sends each by `append`. */
  readonly batch: number
  /** Bodies are filled up with spaces to so many octets. */
  readonly bodySize?: number
  /** Sends what failed again, with a new client, until it is accepted. */
  readonly retry?: boolean
  /** Between two calls, in milliseconds. Default none. */
  readonly pauseMillis?: number
}

/** What a sender knows of its events. */
export interface SendRecord {
  readonly name: string
  /** Events that were acknowledged: the numbers below this. */
  readonly acknowledged: number
  /** Numbers that were sent again after a failure, as [first, end). */
  readonly resent: readonly (readonly [number, number])[]
  /** How often each failure was seen. */
  readonly failures: Readonly<Record<string, number>>
}

export interface StoreRequest {
  readonly file: string
  /** As Java names it: JKS, PKCS12. */
  readonly type: string
  readonly password: string
  /** PEM. */
  readonly cert: string
  /** PEM; without it, this is a trust store. */
  readonly key?: string
}

export class JavaPeer {
  readonly #child: ChildProcess
  readonly #open = new Map<number, Deferred<unknown>>()
  #next = 0
  #errors = ''

  constructor(version: FlumeVersion) {
    const main = version === '1.11' ? 'LoggingPeer' : 'Peer'
    const options = version === '1.11' ? ['-Dlog4j2.clock=FixedClock'] : []
    const child = spawn(
      'java',
      [...JVM_OPTIONS, ...options, '-cp', flumeClassPath(version), main],
      { stdio: ['pipe', 'pipe', 'pipe'] },
    )
    this.#child = child
    child.stdin?.on('error', () => undefined)
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#errors = (this.#errors + text).slice(-4_000)
    })
    createInterface({ input: child.stdout }).on('line', (line) => this.#answered(line))
    child.once('close', () => {
      for (const { reject } of this.#open.values())
        reject(new Error(`The Java peer of Flume ${version} ended:\n${this.#errors}`))
    })
  }

  /** Sends numbered events with Flume's client. @throws when one is not accepted and may not be sent again. */
  send(request: SendRequest): Promise<SendRecord> {
    return this.#request('send', { ...request }) as Promise<SendRecord>
  }

  /** Lets the batch of a sender that is on its way be its last. */
  async endSending(name: string): Promise<void> {
    await this.#request('endSending', { name })
  }

  /** Starts a Flume agent named a1 in the peer's process; it listens some moments later. */
  async startAgent(file: string): Promise<void> {
    await this.#request('startAgent', { file })
  }

  /** Begins to stop an agent; nobody waits for the seconds that Flume takes for it. */
  async stopAgent(file: string): Promise<void> {
    await this.#request('stopAgent', { file })
  }

  /** Writes a key or trust store. */
  async writeStore(request: StoreRequest): Promise<void> {
    await this.#request('writeStore', { ...request })
  }

  /** Logs a fixed list of messages through Log4j 1; gives what the log calls threw. */
  logWithLog4j1(
    properties: Readonly<Record<string, string>>,
    messages: 'text' | 'many' | 'records' | 'reflection',
  ): Promise<string[]> {
    return this.#request('log4j1', { properties, messages }) as Promise<string[]>
  }

  /** Logs a fixed list of messages through Log4j 2; gives what the log calls threw. */
  logWithLog4j2(xml: string): Promise<string[]> {
    return this.#request('log4j2', { xml }) as Promise<string[]>
  }

  /** Says a fixed list of calls as Flume's client. @throws when one is refused. */
  async converse(properties: Readonly<Record<string, string>>): Promise<void> {
    await this.#request('converse', { properties })
  }

  /** Pings and sends one event, as a client whose protocol no server knows. Avro knows a server by both. */
  async converseAsStranger(host: '127.0.0.1' | 'localhost', port: number): Promise<void> {
    await this.#request('stranger', { host, port })
  }

  /** Ends the process. */
  async close(): Promise<void> {
    if (this.#child.exitCode !== null) return
    const closed = new Promise((resolve) => this.#child.once('close', resolve))
    this.#child.kill('SIGKILL')
    await closed
  }

  #request(what: string, parameters: Readonly<Record<string, unknown>>): Promise<unknown> {
    const id = this.#next
    this.#next += 1
    const answer = deferred<unknown>()
    this.#open.set(id, answer)
    this.#child.stdin?.write(`${JSON.stringify({ id, do: what, with: parameters })}\n`)
    return answer.promise
  }

  #answered(line: string): void {
    const answer = JSON.parse(line) as { id: number; result?: unknown; error?: string }
    const open = this.#open.get(answer.id)
    this.#open.delete(answer.id)
    if (answer.error === undefined) open?.resolve(answer.result)
    else open?.reject(new Error(answer.error))
  }
}

const peers = new Map<FlumeVersion, JavaPeer>()

/** Ends all peers. Where there is mocha, it happens behind the last test. */
export async function closeJavaPeers(): Promise<void> {
  for (const peer of peers.values()) await peer.close()
  peers.clear()
}

const { after: afterAll } = globalThis as { after?: (hook: () => Promise<void>) => void }
afterAll?.(closeJavaPeers)

/** The peer of that version, started when it is first asked for and shared by all test files. */
export function javaPeer(version: FlumeVersion): JavaPeer {
  const peer = peers.get(version) ?? new JavaPeer(version)
  peers.set(version, peer)
  return peer
}
