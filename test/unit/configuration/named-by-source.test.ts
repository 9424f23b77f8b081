import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Agent, formatFinding } from '@millrace/agent-core'
import { loadConfiguration } from '@millrace/agent-core/internal/configuration/load-configuration'
import { silentLogger } from '@millrace/runtime'
import { repository } from '../../support/repository.js'
import { temporaryDirectory } from '../../support/temp-directory.js'
import { until } from '../../support/until.js'

const modules = (name: string) =>
  pathToFileURL(join(repository, 'packages', name, 'dist', 'esm', 'index.js')).href

/** A deserializer that gives a file's name, and makes nothing of its contents. */
const MODULE = `
import { defineDeserializer, option } from ${JSON.stringify(modules('component'))}
import { EventBatch } from ${JSON.stringify(modules('event'))}
export default defineDeserializer({
  alias: null,
  classNames: [],
  summary: 'Gives the name of a file.',
  options: { mark: option.string('mark', { description: 'Stands in front.', default: '' }) },
  create: ({ options, input }) => {
    let isGiven = input.start > 0
    return {
      async read() {
        const batch = isGiven ? EventBatch.empty() : EventBatch.of([{ body: options.mark + input.path }])
        isGiven = true
        return { batch, position: input.size }
      },
    }
  },
})`

describe('what a source names beside itself', () => {
  async function load(lines: string, more: Readonly<Record<string, string>> = {}) {
    const directory = temporaryDirectory()
    for (const name of ['in', 'out']) mkdirSync(join(directory, name))
    for (const [name, text] of Object.entries(more)) writeFileSync(join(directory, name), text)
    const file = join(directory, 'agent.properties')
    writeFileSync(
      file,
      `a1.sources = r1
a1.channels = c1
a1.sinks = k1
a1.channels.c1.type = memory
a1.sinks.k1.type = file_roll
a1.sinks.k1.channel = c1
a1.sinks.k1.sink.directory = ${directory}/out
a1.sources.r1.channels = c1
${lines.replaceAll('DIRECTORY', directory)}`,
    )
    return { directory, ...(await loadConfiguration({ file, agent: 'a1' })) }
  }

  it('is a module of one’s own, with its own keys, and works in an agent', async () => {
    const { directory, configuration, findings } = await load(
      `a1.sources.r1.type = spooldir
a1.sources.r1.spoolDir = DIRECTORY/in
a1.sources.r1.deserializer = ./names.mjs
a1.sources.r1.deserializer.mark = file:
`,
      { 'names.mjs': MODULE, 'in/a.txt': 'x' },
    )
    assert.deepEqual(findings.map(formatFinding), [])
    assert.ok(configuration)
    const agent = new Agent({ logger: silentLogger })
    await agent.start(configuration)
    try {
      const written = () =>
        readdirSync(join(directory, 'out'))
          .map((name) => readFileSync(join(directory, 'out', name), 'utf8'))
          .join('')
      await until(() => written() !== '', { what: 'the event' })
      assert.equal(written(), `file:${directory}/in/a.txt\n`)
      await until(() => existsSync(join(directory, 'in', 'a.txt.COMPLETED')), { what: 'the end' })
    } finally {
      await agent.stop({ deadlineMs: 2_000 })
    }
  })

  it('is checked with its keys', async () => {
    const { findings, configuration } = await load(`a1.sources.r1.type = spooldir
a1.sources.r1.spoolDir = DIRECTORY/in
a1.sources.r1.deserializer.maxLineLengh = 5
`)
    assert.equal(configuration, undefined)
    const [finding] = findings.map(formatFinding)
    assert.match(finding ?? '', /UNKNOWN_PROPERTY .*deserializer\.maxLineLengh.*maxLineLength/)
  })

  it('is an error when there is none of its name', async () => {
    const { findings } = await load(`a1.sources.r1.type = http
a1.sources.r1.port = 1
a1.sources.r1.handler = JSN
`)
    const [finding] = findings.map(formatFinding)
    assert.match(finding ?? '', /UNKNOWN_TYPE .*handler.*JSON/)
  })
})
