import assert from 'node:assert/strict'
import { HeaderAndTextSerializer } from '@millrace/agent-core/internal/serializers/header-and-text'
import { TextSerializer } from '@millrace/agent-core/internal/serializers/text'
import { EventBatch } from '@millrace/event'
import { batchOf } from '../../support/component-context.js'

describe('text serializer', () => {
  it('writes each body and a line feed', () => {
    const bytes = new TextSerializer(true).serialize(batchOf('one', '', 'two\r'))
    assert.equal(bytes.toString(), 'one\n\ntwo\r\n')
  })

  it('writes bodies without line feeds when appendNewline is false', () => {
    assert.equal(new TextSerializer(false).serialize(batchOf('one', 'two')).toString(), 'onetwo')
  })

  it('keeps bytes that are no text', () => {
    const body = Buffer.from([0xff, 0x00, 0x0a, 0xfe])
    const bytes = new TextSerializer(true).serialize(EventBatch.of([{ body }]))
    assert.deepEqual(bytes, Buffer.concat([body, Buffer.from('\n')]))
  })

  it('gives nothing for an empty batch', () => {
    assert.equal(new TextSerializer(true).serialize(EventBatch.empty()).length, 0)
  })
})

describe('header_and_text serializer', () => {
  it('writes headers as Java prints a map, a blank and the body', () => {
    const batch = EventBatch.of([
      { headers: { k: 'v', k2: 'v2' }, body: 'hello' },
      { headers: {}, body: 'x' },
      { headers: { 'ä,=}': '' }, body: '' },
    ])
    const bytes = new HeaderAndTextSerializer(true).serialize(batch)
    assert.equal(bytes.toString(), '{k=v, k2=v2} hello\n{} x\n{ä,=}=} \n')
  })

  it('leaves the line feed out when appendNewline is false', () => {
    const bytes = new HeaderAndTextSerializer(false).serialize(batchOf('a', 'b'))
    assert.equal(bytes.toString(), '{} a{} b')
  })
})
