import type { EventBatch } from '@millrace/event'
import {
  type AvroRpcHandler,
  AvroRpcServer,
  type AvroRpcServerOptions,
  type CallContext,
} from '@millrace/rpc'
import { createLogger, type Deferred, deferred } from '@millrace/runtime'

export interface ReceivedCall {
  readonly name: 'append' | 'appendBatch'
  readonly batch: EventBatch
  readonly context: CallContext
  readonly answer: Deferred<void>
}

/** Keeps every call. Answers at once, unless it is told to wait for the test. */
export class RecordingHandler implements AvroRpcHandler {
  readonly calls: ReceivedCall[] = []
  isManual = false
  /** Decides about a call that is answered at once. */
  decide: (batch: EventBatch) => void = () => {}

  append(batch: EventBatch, context: CallContext): Promise<void> {
    return this.#take({ name: 'append', batch, context, answer: deferred() })
  }

  appendBatch(batch: EventBatch, context: CallContext): Promise<void> {
    return this.#take({ name: 'appendBatch', batch, context, answer: deferred() })
  }

  /** Bodies of all events as text. */
  get bodies(): string[] {
    return this.calls.flatMap(({ batch }) => bodiesOf(batch))
  }

  async #take(call: ReceivedCall): Promise<void> {
    this.calls.push(call)
    if (this.isManual) await call.answer.promise
    else this.decide(call.batch)
  }
}

export const bodiesOf = (batch: EventBatch) => [...batch].map(({ body }) => body.toString())

export interface TestServer {
  readonly server: AvroRpcServer
  readonly handler: RecordingHandler
  readonly host: string
  readonly port: number
  /** Lines of its log. */
  readonly log: string[]
}

/** A server on a free port. `open` is told how to close it. */
export async function startServer(
  options: Partial<AvroRpcServerOptions> = {},
  onOpen: (close: () => Promise<void>) => void = () => {},
): Promise<TestServer> {
  const handler = new RecordingHandler()
  const log: string[] = []
  const server = new AvroRpcServer({
    host: '127.0.0.1',
    port: 0,
    handler,
    logger: createLogger({ level: 'info', write: (line) => void log.push(line) }),
    ...options,
  })
  onOpen(() => server.close({ deadlineMs: 200 }))
  const { host, port } = await server.listen()
  return { server, handler, host, port, log }
}

/** Closes, after each test, what the test opened; the last first. */
export class Closing {
  readonly #steps: (() => unknown)[] = []

  constructor() {
    afterEach(async () => {
      for (const step of this.#steps.splice(0).toReversed()) await step()
    })
  }

  add<T extends { close(): unknown } | { destroy(): unknown }>(opened: T): T {
    this.#steps.push(() => ('close' in opened ? opened.close() : opened.destroy()))
    return opened
  }

  readonly step = (close: () => unknown): void => {
    this.#steps.push(close)
  }
}
