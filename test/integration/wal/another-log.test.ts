import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryDirectory } from '../../support/temp-directory.js'
import { drain, fill, openLog, range } from '../../support/wal.js'

/** Names and contents of the files of a directory. */
function filesOf(directory: string): Map<string, string> {
  const files = readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isFile())
  return new Map(
    files.map(({ name }) => [name, readFileSync(join(directory, name)).toString('base64')]),
  )
}

describe('a log that gets a further directory', () => {
  it('does not take that of another log, and changes nothing in it', async () => {
    const [own, others] = [temporaryDirectory(), temporaryDirectory()]
    for (const [directory, first] of [
      [own, 0],
      [others, 500],
    ] as const) {
      const log = await openLog(directory)
      await fill(log, first, first + 100)
      await log.close()
    }
    const foreign = join(others, 'data')
    const before = filesOf(foreign)
    await assert.rejects(openLog(own, { dataDirectories: [join(own, 'data'), foreign] }), {
      code: 'MILLRACE_LOG_DIRECTORY',
      message: new RegExp(`${foreign} belongs to another log`),
    })
    assert.deepEqual(filesOf(foreign), before)
    for (const [directory, first] of [
      [own, 0],
      [others, 500],
    ] as const) {
      const log = await openLog(directory)
      assert.deepEqual(await drain(log.consumer('sinks')), range(first, first + 100))
      await log.close()
    }
  })

  it('uses an empty one from then on', async () => {
    const directory = temporaryDirectory()
    const log = await openLog(directory)
    await fill(log, 0, 100)
    await log.close()
    const dataDirectories = [join(directory, 'data'), join(directory, 'more')]
    const wider = await openLog(directory, { dataDirectories })
    await fill(wider, 100, 1_500)
    assert.deepEqual(await drain(wider.consumer('sinks')), range(0, 1_500))
    await wider.close()
    assert.ok(readdirSync(join(directory, 'more')).some((name) => name.startsWith('segment-')))
    await assert.rejects(openLog(directory), { code: 'MILLRACE_LOG_DIRECTORY' })
    const again = await openLog(directory, { dataDirectories: dataDirectories.toReversed() })
    assert.deepEqual(await drain(again.consumer('sinks')), range(0, 1_500))
    await again.close()
  })
})
