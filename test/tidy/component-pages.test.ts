import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { formatFinding } from '@millrace/agent-core'
import { loadConfiguration } from '@millrace/agent-core/internal/configuration/load-configuration'
import { builtinComponents } from '@millrace/agent-core/internal/registry'
import { repository } from '../support/repository.js'
import { temporaryDirectory } from '../support/temp-directory.js'

const FOLDERS = {
  source: 'sources',
  channel: 'channels',
  sink: 'sinks',
  serializer: 'serializers',
  deserializer: 'deserializers',
  httpHandler: 'http-handlers',
  configFilter: 'config-filters',
  interceptor: 'interceptors',
  selector: 'selectors',
  sinkProcessor: 'processors',
  monitor: 'monitors',
} as const

/** What an example leaves out: the sink whose serializer it names. */
const AROUND_SERIALIZER = `
a1.sources = in
a1.channels = c1
a1.sinks = out
a1.sources.in.type = seq
a1.sources.in.channels = c1
a1.channels.c1.type = memory
a1.sinks.out.type = file_roll
a1.sinks.out.channel = c1
a1.sinks.out.sink.directory = /tmp
`

describe('reference pages of components', () => {
  for (const { kind, alias, classNames } of builtinComponents) {
    const name = `docs/reference/${FOLDERS[kind]}/${alias}.md`

    it(`${name} names the component and has an example without findings`, async () => {
      const path = join(repository, name)
      assert.ok(existsSync(path), `${name} is there`)
      const page = readFileSync(path, 'utf8')
      for (const className of classNames) assert.ok(page.includes(className), className)
      // A monitor is named on the command line.
      if (kind === 'monitor') {
        assert.ok(page.includes(`-Dflume.monitoring.type=${alias}`), 'the example uses the monitor')
        return
      }
      const example = /```properties\n([^]*?)```/.exec(page)?.[1] ?? ''
      assert.ok(example.includes(` = ${alias}\n`), 'the example uses the component')
      const file = join(temporaryDirectory(), 'flume.properties')
      // Only a part of an agent has something to be wired to.
      const sink = ['source', 'deserializer', 'httpHandler', 'configFilter'].includes(kind)
        ? DRAIN
        : ''
      writeFileSync(file, kind === 'serializer' ? AROUND_SERIALIZER + example : example + sink)
      const { findings } = await loadConfiguration({ file, agent: 'a1' })
      assert.deepEqual(findings.map(formatFinding), [])
    })
  }
})

const DRAIN = `
a1.sinks = drain
a1.sinks.drain.type = null
a1.sinks.drain.channel = c1
`
