import assert from 'node:assert/strict'
import { RegexExtractorInterceptor } from '@millrace/agent-core/internal/interceptors/regex-extractor'
import { RegexFilterInterceptor } from '@millrace/agent-core/internal/interceptors/regex-filter'
import { SearchReplaceInterceptor } from '@millrace/agent-core/internal/interceptors/search-replace'
import { silentLogger, systemClock } from '@millrace/runtime'
import { batchOf, eventsOf } from '../../support/component-context.js'

const EVIL = '(a+)+b'
const host = { logger: silentLogger, clock: systemClock }
const runaway = `${'a'.repeat(60)}!`
const MARK = { 'millrace.regex.stopped': 'i1' }

describe('a regular expression that runs away', () => {
  it('is stopped: its event goes on, marked and counted, the others as they should', () => {
    const filter = new RegexFilterInterceptor(
      { name: 'i1', regex: EVIL, excludeEvents: true },
      host,
    )
    const began = performance.now()
    const events = eventsOf(filter.intercept(batchOf('xaab', runaway, 'other', 'ab')))
    assert.ok(performance.now() - began < 2_000)
    assert.deepEqual(events, [
      { headers: MARK, text: runaway },
      { headers: {}, text: 'other' },
    ])
    assert.deepEqual(filter.metrics, { EventRegexStoppedCount: 1 })
  })

  it('ends within the limit of a batch, however many events it is met in', () => {
    const extractor = new RegexExtractorInterceptor(
      { name: 'i1', regex: EVIL, groups: [{ header: 'h', datePattern: undefined }] },
      host,
    )
    const batch = batchOf(...Array.from({ length: 200 }, () => runaway))
    const began = performance.now()
    const events = eventsOf(extractor.intercept(batch))
    assert.ok(performance.now() - began < 2_000)
    assert.ok(events.every(({ headers }) => headers['millrace.regex.stopped'] === 'i1'))
    assert.equal(extractor.metrics['EventRegexStoppedCount'], 200)
  })

  it('leaves a body that it was to replace', () => {
    const replace = new SearchReplaceInterceptor(
      { name: 'i1', searchPattern: EVIL, replaceString: 'x', charset: 'UTF-8' },
      host,
    )
    assert.deepEqual(eventsOf(replace.intercept(batchOf(runaway, 'aab'))), [
      { headers: MARK, text: runaway },
      { headers: {}, text: 'x' },
    ])
  })
})
