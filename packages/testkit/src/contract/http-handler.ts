/** What every handler of the http source promises: events of a request, and a refusal that says so. */
import assert from 'node:assert/strict'
import type { ComponentDefinition, HttpSourceRequest } from '@millrace/component'
import { MillraceError } from '@millrace/runtime'
import { definitionCases } from './definition.js'
import { createContext, type Settings } from './making.js'
import { type TestGlobals, testGlobals } from './test-globals.js'

/** A request and the events that it becomes. */
export interface HttpHandlerExample {
  readonly body: string | Buffer
  readonly query?: string
  readonly headers?: HttpSourceRequest['headers']
  readonly events: readonly {
    readonly headers?: Readonly<Record<string, string>>
    readonly body: string
  }[]
}

export interface HttpHandlerContract {
  readonly definition: ComponentDefinition<'httpHandler'>
  readonly settings?: Settings
  readonly examples: readonly HttpHandlerExample[]
  /** Requests that are answered 400. */
  readonly refused?: readonly Omit<HttpHandlerExample, 'events'>[]
}

function requestOf(example: Omit<HttpHandlerExample, 'events'>): HttpSourceRequest {
  const { body, query = '', headers = {} } = example
  return { headers, query: new URLSearchParams(query), body: Buffer.from(body) }
}

/** Declares the tests of a handler. Call it at the top of a mocha test file, or in a `describe`. */
export function httpHandlerContract(
  contract: HttpHandlerContract,
  globals: TestGlobals = testGlobals(),
): void {
  const { definition, settings = {}, examples, refused = [] } = contract
  const make = () => definition.create(createContext(definition, settings))
  const eventsOf = async (example: Omit<HttpHandlerExample, 'events'>, handler = make()) => {
    const batch = await handler.events(requestOf(example))
    return [...batch.events()].map(({ headers, body }) => ({
      headers: { ...headers },
      body: body.toString(),
    }))
  }
  const wanted = ({ events }: HttpHandlerExample) =>
    events.map(({ headers = {}, body }) => ({ headers, body }))
  const { describe, it } = globals

  describe(`HTTP handler ${definition.alias ?? definition.classNames[0]}`, () => {
    const open = () => Promise.resolve({ settings, close: () => Promise.resolve() })
    definitionCases(definition, open, globals)
    it('makes the events of each request', async () => {
      for (const example of examples) assert.deepEqual(await eventsOf(example), wanted(example))
    })
    it('takes requests at the same time, and keeps nothing of one for the next', async () => {
      const handler = make()
      const all = [...examples, ...examples]
      const found = await Promise.all(all.map((example) => eventsOf(example, handler)))
      assert.deepEqual(found, all.map(wanted))
    })
    it('leaves the body as it is', async () => {
      for (const example of examples) {
        const request = requestOf(example)
        const before = Buffer.from(request.body)
        await make().events(request)
        assert.ok(request.body.equals(before))
      }
    })
    it('refuses what it cannot read with an error that no retry can help', async () => {
      for (const example of refused) {
        await assert.rejects(
          () => eventsOf(example),
          (error: unknown) => MillraceError.is(error) && !error.retryable,
        )
      }
    })
  })
}
