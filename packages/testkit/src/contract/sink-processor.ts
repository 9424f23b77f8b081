/** What every sink processor promises: it asks sinks of its group, fails over as it says, and ends. */
import assert from 'node:assert/strict'
import type { ComponentDefinition, Outcome, SinkHandle, SinkProcessor } from '@millrace/component'
import { EventDeliveryError, MillraceError } from '@millrace/runtime'
import { FakeClock } from '../fake-clock.js'
import { definitionCases } from './definition.js'
import { createContext, type Settings } from './making.js'
import { rejected, resolved, settled } from './settling.js'
import { type TestGlobals, testGlobals } from './test-globals.js'

export interface SinkProcessorContract {
  readonly definition: ComponentDefinition<'sinkProcessor'>
  readonly settings?: Settings
  /** Names of the group's sinks, in the order of the file. */
  readonly sinks: readonly string[]
  /** No sink is left out for longer than this, in milliseconds. Default 30,000. */
  readonly maxPenaltyMs?: number
}

/** A group whose sinks fail or answer as the test says. */
class Group {
  readonly clock = new FakeClock()
  readonly sinks: readonly SinkHandle[]
  readonly processor: SinkProcessor
  /** Names of the sinks that were asked, in order. */
  readonly attempts: string[] = []
  readonly failing = new Set<string>()
  outcome: Outcome = 'ready'

  constructor({ definition, settings = {}, sinks }: SinkProcessorContract) {
    this.sinks = sinks.map((name) => ({ name }))
    const { clock } = this
    const context = createContext(definition, settings, { clock })
    this.processor = definition.create({ ...context, sinks: this.sinks })
  }

  process(signal: AbortSignal = new AbortController().signal): Promise<Outcome> {
    return this.processor.process((sink) => this.#attempt(sink), signal)
  }

  async #attempt(sink: SinkHandle): Promise<Outcome> {
    assert.ok(this.sinks.includes(sink), `${sink.name} is one of the group's sinks`)
    this.attempts.push(sink.name)
    await new Promise(setImmediate)
    if (!this.failing.has(sink.name)) return this.outcome
    throw new EventDeliveryError('MILLRACE_DELIVERY_FAILED', `${sink.name} is down`)
  }
}

/** Declares the tests of a processor. Call it at the top of a mocha test file, or in a `describe`. */
export function sinkProcessorContract(
  contract: SinkProcessorContract,
  globals: TestGlobals = testGlobals(),
): void {
  const { definition, settings = {} } = contract
  const it = (title: string, body: (group: Group) => Promise<void>) =>
    globals.it(title, () => body(new Group(contract)))
  globals.describe(`sink processor ${definition.alias ?? definition.classNames[0]}`, () => {
    const open = () => Promise.resolve({ settings, close: () => Promise.resolve() })
    definitionCases(definition, open, globals)
    roundCases(it)
    failureCases(it, contract)
  })
}

type DeclareCase = (title: string, body: (group: Group) => Promise<void>) => void

function roundCases(it: DeclareCase): void {
  for (const outcome of ['ready', 'backoff'] as const) {
    it(`answers ${outcome} when a sink does, and asks no further one`, async (group) => {
      group.outcome = outcome
      for (let round = 1; round <= 6; round += 1) {
        assert.equal(await resolved(group.process(), 'the round'), outcome)
        assert.equal(group.attempts.length, round)
      }
    })
  }

  it('settles a round whose signal is aborted', async (group) => {
    await settled(group.process(AbortSignal.abort()), 'a round with an aborted signal')
    assert.ok(group.attempts.length <= group.sinks.length)
  })
}

function failureCases(it: DeclareCase, { maxPenaltyMs = 30_000 }: SinkProcessorContract): void {
  it('goes on with another sink of its group when one fails', async (group) => {
    if (group.sinks.length < 2) return
    const [first] = group.sinks
    for (const sink of group.sinks) if (sink !== first) group.failing.add(sink.name)
    for (let round = 0; round < group.sinks.length * 2; round += 1) {
      assert.equal(await resolved(group.process(), 'the round'), 'ready')
      assert.equal(group.attempts.at(-1), first?.name)
    }
  })

  it('fails a round when all its sinks fail, having asked each at most once', async (group) => {
    for (const sink of group.sinks) group.failing.add(sink.name)
    const error = await rejected(group.process(), 'a round without a working sink')
    assert.ok(MillraceError.is(error) && error.retryable, 'an error that is worth a retry')
    assert.deepEqual(group.attempts.toSorted(), group.sinks.map((sink) => sink.name).toSorted())
    await rejected(group.process(), 'another round without a working sink')
  })

  it('comes back to every sink that has failed for long and works again', async (group) => {
    for (const sink of group.sinks) group.failing.add(sink.name)
    for (let round = 0; round < 40; round += 1) {
      await settled(group.process(), 'the round')
      await group.clock.advance(5_000)
    }
    group.failing.clear()
    await group.clock.advance(maxPenaltyMs + 1_000)
    group.attempts.length = 0
    const rounds = group.sinks.length * 3
    for (let round = 0; round < rounds; round += 1) {
      assert.equal(await resolved(group.process(), 'the round'), 'ready')
    }
    assert.equal(group.attempts.length, rounds)
    // Then each of them alone carries the work when the others are gone.
    for (const sink of group.sinks) {
      for (const other of group.sinks) group.failing.add(other.name)
      group.failing.delete(sink.name)
      await settled(group.process(), 'the round')
      await group.clock.advance(maxPenaltyMs + 1_000)
      assert.equal(await resolved(group.process(), `a round of ${sink.name}`), 'ready')
      assert.equal(group.attempts.at(-1), sink.name)
    }
  })
}
