import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inTwos, runMillrace } from '../../support/command.js'
import { repository } from '../../support/repository.js'
import { temporaryDirectory } from '../../support/temp-directory.js'

const lines = (text: string) => text.split('\n').filter((line) => line !== '')

describe('millrace on the command line', () => {
  it('explains itself, with exit code 2, when nothing is asked', async () => {
    const { code, stdout, stderr } = await runMillrace([])
    assert.deepEqual([code, stdout], [2, ''])
    assert.match(stderr, /^Usage: millrace <command>/)
  })

  it('refuses an unknown command in one line and guesses which was meant', async () => {
    const { code, stdout, stderr } = await runMillrace(['recieve'])
    assert.deepEqual([code, stdout, lines(stderr).length], [2, '', 1])
    assert.match(stderr, /“recieve”; did you mean “receive”\?/)
  })

  it('shows its version', async () => {
    const { version } = JSON.parse(readFileSync(join(repository, 'lerna.json'), 'utf8'))
    for (const words of [['version'], ['--version']]) {
      const { code, stdout } = await runMillrace(words)
      assert.equal(code, 0)
      assert.ok(stdout.startsWith(`millrace ${version} `), stdout)
    }
  })
})

describe('millrace help', () => {
  it('lists the commands', async () => {
    const { code, stdout } = await runMillrace(['help'])
    assert.equal(code, 0)
    for (const name of ['agent', 'avro-client', 'check', 'components', 'receive', 'version'])
      assert.match(stdout, new RegExp(`^ {2}${name} `, 'm'))
  })

  it('shows the options of a command', async () => {
    const { code, stdout } = await runMillrace(['help', 'check'])
    assert.equal(code, 0)
    assert.match(stdout, /-f, --conf-file <file>/)
  })

  it('lists the components of a kind', async () => {
    const { code, stdout } = await runMillrace(['help', 'sinks'])
    assert.equal(code, 0)
    assert.match(stdout, /^ {2}file_roll +\S/m)
  })

  it('shows the keys of a component with type, default and meaning', async () => {
    const { code, stdout } = await runMillrace(['help', 'source', 'avro'])
    assert.equal(code, 0)
    assert.match(stdout, /^ {2}port {2}\(int; required\)\n {6}\S/m)
    assert.match(stdout, /^ {2}ssl {2}\(bool; default false\)/m)
  })

  it('refuses an unknown topic and guesses which was meant', async () => {
    const { code, stderr } = await runMillrace(['help', 'sink', 'file_rol'])
    assert.equal(code, 2)
    assert.match(stderr, /did you mean “file_roll”\?/)
  })
})

interface Described {
  kind: string
  alias: string
  classNames: string[]
  properties: { required: boolean }[]
}

describe('millrace components', () => {
  it('lists kind, alias, class names and properties as JSON', async () => {
    const { code, stdout } = await runMillrace(['components', '--json'])
    assert.equal(code, 0)
    const list: Described[] = JSON.parse(stdout)
    const sink = list.find((each) => each.kind === 'sink' && each.alias === 'file_roll')
    assert.deepEqual(sink?.classNames, ['org.apache.flume.sink.RollingFileSink'])
    assert.deepEqual(
      sink?.properties.filter(({ required }) => required),
      ['channel', 'type', 'sink.directory'].map((name) => ({
        name,
        required: true,
        default: null,
        type: 'string',
      })),
    )
  })

  it('lists them for a person without --json', async () => {
    const { code, stdout } = await runMillrace(['components'])
    assert.equal(code, 0)
    assert.match(stdout, /^source +avro +\S/m)
  })
})

describe('millrace check', () => {
  const directory = temporaryDirectory()
  const file = join(directory, 'f.properties')
  const good = [
    'a1.sources = s',
    'a1.channels = c',
    'a1.sinks = k',
    'a1.sources.s.type = seq',
    'a1.sources.s.channels = c',
    'a1.channels.c.type = memory',
    'a1.sinks.k.type = null',
    'a1.sinks.k.channel = c',
  ]
  const check = (text: readonly string[], ...more: string[]) => {
    writeFileSync(file, `${text.join('\n')}\n`)
    return runMillrace(['check', '-n', 'a1', '-f', file, ...more])
  }

  it('says nothing on standard output about a good file', async () => {
    const { code, stdout } = await check(good)
    assert.deepEqual([code, stdout], [0, ''])
  })

  it('prints each finding on a line of its own and exits with 1 when one is an error', async () => {
    const { code, stdout } = await check([...good, 'a1.sinks.k.batchSise = 5'])
    assert.equal(code, 1)
    assert.match(
      stdout,
      /^[^\n]*f\.properties:9: error MILLRACE_CONFIG_UNKNOWN_PROPERTY a1\.sinks\.k\.batchSise: [^\n]*batchSize[^\n]*\n$/,
    )
  })

  it('exits with 0 when all findings are warnings', async () => {
    const { code, stdout } = await check([...good, 'a1.sinks.k.batchSise = 5'], '--lenient')
    assert.equal(code, 0)
    assert.match(stdout, /:9: warning MILLRACE_CONFIG_UNKNOWN_PROPERTY /)
  })

  it('exits with 2 for an unknown agent, an unreadable file and bad usage', async () => {
    await check(good)
    const cases = [
      ['-n', 'a2', '-f', file],
      ['-n', 'a1', '-f', join(directory, 'none')],
      ['-n', 'a1'],
      ['-n', 'a1', '-f', file, '--nope'],
      ['-n', 'a1', '-f', file, 'more'],
    ]
    await inTwos(cases, async (words) => {
      const { code, stdout, stderr } = await runMillrace(['check', ...words])
      assert.deepEqual([code, stdout, lines(stderr).length], [2, '', 1], words.join(' '))
    })
  })

  it('takes -Dkey=value glued and apart, again and again', async () => {
    const text = [...good, 'a1.sinks.k.batchSize = ${sys:size}${sys:more}']
    const { code, stdout } = await check(text, '-Dsize=1', '-D', 'more=2')
    assert.deepEqual([code, stdout], [0, ''])
  })
})
