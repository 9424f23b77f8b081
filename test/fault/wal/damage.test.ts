import assert from 'node:assert/strict'
import {
  flipClosedLog,
  flipKilledLog,
  flipPairs,
  truncateClosedLog,
  zeroPages,
} from '../../support/wal/damage-campaigns.js'

// Each n-th damage is tried here; `npm run campaign -- damage` tries all.
describe('a damaged log', () => {
  it('that was closed loses the record in which a bit was turned, exactly, and nothing else', async () => {
    assert.ok((await flipClosedLog(211)) > 100)
  })

  it('that was closed loses two records whose headers are damaged, though copies of them lie in others', async () => {
    assert.ok((await flipPairs(6)) > 100)
  })

  it('that was closed loses the records that a file cut short has not got, exactly', async () => {
    assert.ok((await truncateClosedLog(41)) > 100)
  })

  it('that was killed loses the same below its frontier, and is cut above it', async () => {
    assert.ok((await flipKilledLog(101)) > 100)
  })

  it('loses the records in zeroed pages, exactly, and nothing else', async () => {
    await zeroPages({ runs: 40, segments: 5, seed: 1 })
  })
})
