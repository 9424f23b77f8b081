/** What every serializer promises: header, batches and trailer one behind the other can be read. */
import assert from 'node:assert/strict'
import type { ComponentDefinition, EventSerializer } from '@millrace/component'
import { EventBatch } from '@millrace/event'
import { definitionCases } from './definition.js'
import { createContext, type Settings } from './making.js'
import { bodiesOf, numberedEvents } from './numbered-events.js'
import { type TestGlobals, testGlobals } from './test-globals.js'

export interface SerializerContract {
  readonly definition: ComponentDefinition<'serializer'>
  readonly settings?: Settings
  /** What a reader of such files makes of one: something for each event, equal for equal events. */
  readonly read: (file: Buffer) => readonly unknown[] | Promise<readonly unknown[]>
  /** What the reader gives for an event. Default its body as text. */
  readonly expected?: (batch: EventBatch, index: number) => unknown
}

/** Declares the tests of a serializer. Call it at the top of a mocha test file, or in a `describe`. */
export function serializerContract(
  contract: SerializerContract,
  globals: TestGlobals = testGlobals(),
): void {
  const { definition, settings = {}, read } = contract
  const expected = contract.expected ?? ((batch, index) => batch.bodyAt(index).toString())
  const make = (): EventSerializer => definition.create(createContext(definition, settings))
  const { describe, it } = globals

  async function check(batches: readonly EventBatch[]): Promise<void> {
    const file = await writeFile(make(), batches)
    const wanted = batches.flatMap((batch) => bodiesOf(batch).map((_, i) => expected(batch, i)))
    assert.deepEqual(await read(file), wanted)
  }

  describe(`serializer ${definition.alias ?? definition.classNames[0]}`, () => {
    const open = () => Promise.resolve({ settings, close: () => Promise.resolve() })
    definitionCases(definition, open, globals)
    it('writes a file that holds every event in order', async () => {
      await check([numberedEvents(0, 3), numberedEvents(3, 1), numberedEvents(4, 200)])
    })
    it('writes a file without events', async () => {
      await check([])
      await check([EventBatch.empty()])
    })
    it('writes events without headers and without a body', async () => {
      await check([EventBatch.of([{ body: 'plain' }, { headers: { a: 'b' } }, {}])])
    })
    it('can be read after each batch', async () => {
      const serializer = make()
      const batches = [numberedEvents(0, 2), numberedEvents(2, 3), numberedEvents(5, 1)]
      const parts: Buffer[] = [serializer.header?.() ?? Buffer.alloc(0)]
      let count = 0
      for (const batch of batches) {
        parts.push(Buffer.from(await serializer.serialize(batch)))
        count += batch.size
        assert.equal((await read(Buffer.concat(parts))).length, count)
      }
    })
    it('leaves the batch as it is, and gives bytes that a later call does not change', async () => {
      const serializer = make()
      const batch = numberedEvents(0, 5)
      const before = Buffer.from(batch.bytes)
      const given = await serializer.serialize(batch)
      const copy = Buffer.from(given)
      await serializer.serialize(numberedEvents(5, 5))
      assert.ok(batch.bytes.equals(before))
      assert.ok(given.equals(copy))
    })
    it('keeps two files apart', async () => {
      const [one, other] = [make(), make()]
      const files = await Promise.all([
        writeFile(one, [numberedEvents(0, 2)]),
        writeFile(other, [numberedEvents(2, 2)]),
      ])
      assert.equal((await read(files[0])).length, 2)
      assert.equal((await read(files[1])).length, 2)
    })
  })
}

async function writeFile(
  serializer: EventSerializer,
  batches: readonly EventBatch[],
): Promise<Buffer> {
  const parts = [serializer.header?.() ?? Buffer.alloc(0)]
  for (const batch of batches) parts.push(Buffer.from(await serializer.serialize(batch)))
  parts.push(serializer.trailer?.() ?? Buffer.alloc(0))
  return Buffer.concat(parts)
}
