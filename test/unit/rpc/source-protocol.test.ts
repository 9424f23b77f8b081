import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import {
  FLUME_1_2_PROTOCOL_HASH,
  SOURCE_PROTOCOL_HASH,
  SOURCE_PROTOCOL_TEXT,
} from '@millrace/rpc/internal/protocol/source-protocol'
import avsc from 'avsc'

const md5 = (text: string) => createHash('md5').update(text).digest('hex')

describe("the source protocol's text", () => {
  it('is 1,334 octets whose MD5 is the hash that Flume sends', () => {
    assert.equal(Buffer.byteLength(SOURCE_PROTOCOL_TEXT), 1334)
    assert.equal(md5(SOURCE_PROTOCOL_TEXT), '86aadae2c45474c0fe93ffd0f2350a65')
    assert.equal(SOURCE_PROTOCOL_HASH.toString('hex'), '86aadae2c45474c0fe93ffd0f2350a65')
  })

  it('has the same hash for an independent Avro library', () => {
    const service = avsc.Service.forProtocol(JSON.parse(SOURCE_PROTOCOL_TEXT))
    assert.deepEqual(service.hash, SOURCE_PROTOCOL_HASH)
  })

  it("gives Flume 1.2's hash when its map is written with Java's strings", () => {
    const text = SOURCE_PROTOCOL_TEXT.replace(
      '{"type":"map","values":"string"}',
      '{"type":"map","values":{"type":"string","avro.java.string":"String"},"avro.java.string":"String"}',
    )
    assert.equal(Buffer.byteLength(text), 1399)
    assert.equal(md5(text), FLUME_1_2_PROTOCOL_HASH.toString('hex'))
  })
})
