import assert from 'node:assert/strict'
import { appendFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { taildirSource } from '@millrace/agent-core/internal/sources/taildir'
import { PollableSourceRunner } from '@millrace/agent-core/internal/runners/pollable-source-runner'
import type { PollableSource } from '@millrace/component'
import { silentLogger, systemClock } from '@millrace/runtime'
import { createContext } from '@millrace/testkit'
import { sourceContext } from '../../support/component-context.js'
import { temporaryDirectory } from '../../support/temp-directory.js'
import { until } from '../../support/until.js'

describe('taildir source, run by the agent', () => {
  it('sends a line as soon as it is written, long before the next look', async () => {
    const directory = temporaryDirectory()
    const file = join(directory, 'a.log')
    const settings = {
      filegroups: 'f1',
      'filegroups.f1': `${directory}/.*\\.log`,
      positionFile: join(temporaryDirectory(), 'positions.json'),
      backoffSleepIncrement: '60000',
      maxBackoffSleep: '60000',
    }
    const made = createContext(taildirSource, settings)
    const source = taildirSource.create(made as never) as PollableSource
    const context = sourceContext()
    await source.start?.(context)
    const runner = new PollableSourceRunner({ source, logger: silentLogger, clock: systemClock })
    runner.start()
    try {
      for (let i = 0; i < 5; i += 1) {
        appendFileSync(file, `${i}\n`)
        await until(() => context.channel.texts.length > i, { what: `line ${i}`, timeoutMs: 5_000 })
        if (i === 2) renameSync(file, `${file}.1`)
      }
    } finally {
      await runner.stop({ deadlineMs: 1_000 })
      await source.stop?.({ deadlineMs: 1_000 })
    }
    assert.deepEqual(context.channel.texts, ['0', '1', '2', '3', '4'])
  })
})
