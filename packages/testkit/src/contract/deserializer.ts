/** What every deserializer promises: the events of a file, each once, from any position that it gave. */
import assert from 'node:assert/strict'
import type { ComponentDefinition, EventDeserializer, InputFile } from '@millrace/component'
import { definitionCases } from './definition.js'
import { createContext, type Settings } from './making.js'
import { bodiesOf } from './numbered-events.js'
import { type TestGlobals, testGlobals } from './test-globals.js'

export interface DeserializerContract {
  readonly definition: ComponentDefinition<'deserializer'>
  readonly settings?: Settings
  /** A file of at least three events. */
  readonly file: Buffer
  /** The bodies of its events, as text. */
  readonly bodies: readonly string[]
}

function inputOf(file: Buffer, start: number): InputFile {
  return {
    path: '/input/file',
    size: file.length,
    start,
    charset: 'UTF-8',
    decodeErrorPolicy: 'FAIL',
    read: async (into, offset) => file.copy(into, 0, offset, offset + into.length),
  }
}

/** Reads to the end. */
async function readAll(reader: EventDeserializer, maxEvents: number): Promise<string[]> {
  const bodies: string[] = []
  for (;;) {
    const { batch } = await reader.read(maxEvents)
    if (batch.size === 0) return bodies
    assert.ok(batch.size <= maxEvents, 'no more events than asked for')
    bodies.push(...bodiesOf(batch))
  }
}

/** Declares the tests of a deserializer. Call it at the top of a mocha test file, or in a `describe`. */
export function deserializerContract(
  contract: DeserializerContract,
  globals: TestGlobals = testGlobals(),
): void {
  const { definition, settings = {}, file, bodies } = contract
  const make = (start = 0, content = file) =>
    definition.create({
      ...createContext(definition, settings),
      input: inputOf(content, start),
    })
  const { describe, it } = globals

  describe(`deserializer ${definition.alias ?? definition.classNames[0]}`, () => {
    const open = () => Promise.resolve({ settings, close: () => Promise.resolve() })
    definitionCases(definition, open, globals)
    it('gives every event of a file once, in order, whatever is asked for at once', async () => {
      for (const maxEvents of [1, 2, 1_000])
        assert.deepEqual(await readAll(make(), maxEvents), bodies)
    })
    it('gives nothing more at the end, as often as it is asked', async () => {
      const reader = make()
      await readAll(reader, 100)
      assert.equal((await reader.read(100)).batch.size, 0)
    })
    it('goes on where it was from each position that it gave', async () => {
      const reader = make()
      for (let count = 0; count < bodies.length; ) {
        const { batch, position } = await reader.read(1)
        count += batch.size
        assert.deepEqual(await readAll(make(position), 100), bodies.slice(count))
      }
    })
    it('keeps two files apart', async () => {
      const [one, other] = [make(), make()]
      await one.read(1)
      assert.deepEqual(await readAll(other, 100), bodies)
      assert.deepEqual(await readAll(one, 100), bodies.slice(1))
    })
  })
}
