import assert from 'node:assert/strict'
import { KnownProtocols } from '@millrace/rpc/internal/server/known-protocols'
import { scanningDecoder } from '@millrace/rpc/internal/protocol/request-decoder'
import {
  FLUME_1_2_PROTOCOL_HASH,
  SOURCE_PROTOCOL_HASH,
  SOURCE_PROTOCOL_TEXT,
} from '@millrace/rpc/internal/protocol/source-protocol'

const hashOf = (number: number) => Buffer.alloc(16, number)

describe("the protocols of a server's clients", () => {
  it('are 64 beside its own, of which the oldest goes for a new one', async () => {
    const protocols = new KnownProtocols()
    const isKnown = (number: number) => protocols.get(hashOf(number)) !== undefined
    for (let number = 0; number < 64; number += 1)
      await protocols.learn(hashOf(number), SOURCE_PROTOCOL_TEXT)
    assert.deepEqual([isKnown(0), isKnown(63), isKnown(64)], [true, true, false])
    await protocols.learn(hashOf(64), SOURCE_PROTOCOL_TEXT)
    assert.deepEqual([isKnown(0), isKnown(1), isKnown(63), isKnown(64)], [false, true, true, true])
    for (const own of [SOURCE_PROTOCOL_HASH, FLUME_1_2_PROTOCOL_HASH])
      assert.equal(protocols.get(own), scanningDecoder)
  })
})
