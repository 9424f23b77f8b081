import assert from 'node:assert/strict'
import { dumpBytes, LoggerSink } from '@millrace/agent-core/internal/sinks/logger'
import { EventBatch } from '@millrace/event'
import { silentLogger } from '@millrace/runtime'
import { batchOf, keptLogger } from '../../support/component-context.js'

describe('logger sink', () => {
  it('logs headers, hexadecimal and text of an event as Flume does', async () => {
    const { logger, lines } = keptLogger()
    const batch = EventBatch.of([{ headers: { k: 'v', l: 'w' }, body: 'Hello world!\r' }])
    await new LoggerSink(16, logger).write(batch)
    assert.equal(lines.length, 1)
    assert.match(
      lines[0] ?? '',
      / INFO .*: Event: \{ headers:\{k=v, l=w\} body: 48 65 6C 6C 6F 20 77 6F 72 6C 64 21 0D {10}Hello world!\. \}\n$/,
    )
  })

  it('shows as many bytes of the body as maxBytesToLog says', async () => {
    const { logger, lines } = keptLogger()
    await new LoggerSink(2, logger).write(batchOf('abcdef'))
    await new LoggerSink(18, logger).write(batchOf('0123456789abcdefgh-never-shown'))
    await new LoggerSink(0, logger).write(batchOf('abc'))
    assert.match(lines[0] ?? '', /body: 61 62 {43}ab \}/)
    assert.match(lines[1] ?? '', /0123456789abcdef\n00000010 67 68 {43}gh \}/)
    assert.match(lines[2] ?? '', /body: \}/)
  })

  it('shows nothing of an empty body', () => {
    assert.equal(dumpBytes(Buffer.alloc(0)), '')
  })

  it('writes nothing when the level is off', async () => {
    await new LoggerSink(16, silentLogger).write(batchOf('x'))
  })
})
