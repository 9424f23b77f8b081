import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { mockReceiver } from '@millrace/testkit/receiver'
import { Command, millraceFile, runMillrace, startMillrace } from '../../support/command.js'
import { freePort } from '../../support/free-port.js'
import { repository } from '../../support/repository.js'
import { temporaryDirectory } from '../../support/temp-directory.js'

/** The port that every snippet of the README names. */
const SHOWN_PORT = /41414/g

interface Block {
  readonly language: string
  readonly text: string
}

const text = readFileSync(join(repository, 'README.md'), 'utf8')
const blocks: readonly Block[] = [...text.matchAll(/^```(\w+)\n([^]*?)^```$/gm)].map((match) => ({
  language: match[1] ?? '',
  text: match[2] ?? '',
}))
const of = (language: string) => blocks.filter((block) => block.language === language)
const commands = of('sh').flatMap((block) =>
  block.text
    .split('\n')
    .map((line) => line.replace(/ +#.*$/, ''))
    .filter((line) => line !== ''),
)

/** A program inside the repository, where the packages it imports are found. */
function startProgram(source: string): Command {
  const folder = mkdtempSync(join(repository, 'test', 'dist', 'readme-'))
  const file = join(folder, 'snippet.mjs')
  writeFileSync(file, source)
  const program = new Command([file], { cwd: folder, stdin: '' })
  void program.finished.finally(() => rmSync(folder, { recursive: true, force: true }))
  return program
}

/** Starts `npm …` as a shell does. */
function npm(words: readonly string[]): Command {
  const cli = process.env['npm_execpath']
  assert.ok(cli, 'This test runs under npm test')
  return new Command([cli, ...words], { stdin: '' })
}

describe('the README', function () {
  this.timeout(60_000)

  it('fits on a tall screen', () => {
    assert.ok(text.split('\n').length <= 120, 'README.md has become long')
  })

  it('has nothing in it that this test does not run', () => {
    assert.deepEqual(blocks.map((block) => block.language).toSorted(), [
      'js',
      'js',
      'js',
      'properties',
      'sh',
      'sh',
      'text',
    ])
    assert.deepEqual(commands, [
      'npm start',
      'npm run demo',
      'mkdir logs',
      'npx millrace check -n a1 -f flume.properties',
      'npx millrace agent -n a1 -f flume.properties',
    ])
  })

  for (const [index, expected] of [
    { logger: 'winston', body: /disk is filling up/ },
    { logger: 'db.pool', body: /lost n1[^]*socket hang up/ },
    { logger: 'billing', body: /paid/ },
  ].entries()) {
    it(`shows a program whose logger ${expected.logger} reaches a receiver`, async () => {
      const receiver = await mockReceiver()
      try {
        const source = of('js')[index]?.text ?? ''
        const program = startProgram(source.replaceAll(SHOWN_PORT, String(receiver.port)))
        const { code, stderr } = await program.finished
        assert.equal(code, 0, stderr)
        const [event] = receiver.events
        assert.equal(receiver.events.length, 1)
        assert.equal(event?.headers['flume.client.log4j.logger.name'], expected.logger)
        assert.match(event?.text ?? '', expected.body)
      } finally {
        await receiver.close()
      }
    })
  }

  it('shows ten lines or so for each logger', () => {
    for (const block of of('js')) assert.ok(block.text.trim().split('\n').length <= 14, block.text)
  })

  it('shows a configuration that has nothing wrong in it and that an agent runs', async () => {
    const directory = temporaryDirectory()
    const [folder = ''] = commands.filter((command) => command.startsWith('mkdir '))
    mkdirSync(join(directory, folder.split(' ')[1] ?? ''))
    const port = await freePort()
    const file = join(directory, 'flume.properties')
    writeFileSync(file, of('properties')[0]?.text.replaceAll(SHOWN_PORT, String(port)) ?? '')
    const [check = '', agent = ''] = commands.filter((command) => command.startsWith('npx'))
    const words = (command: string) => command.split(' ').slice(2)
    const checked = await runMillrace(words(check), { cwd: directory })
    assert.deepEqual([checked.code, checked.stdout], [0, ''])
    const running = startMillrace(words(agent), { cwd: directory })
    await running.shows(/^ready agent=a1/m)
    const client = ['avro-client', '-H', '127.0.0.1', '-p', String(port)]
    assert.equal((await runMillrace(client, { stdin: 'hello' })).code, 0)
    running.kill('SIGTERM')
    assert.equal((await running.finished).code, 0)
    const [stored = ''] = readdirSync(join(directory, 'logs'))
    assert.equal(readFileSync(join(directory, 'logs', stored), 'utf8'), 'hello\n')
  })

  it('names npm start, which runs the receiver and passes its exit code on', async () => {
    const directory = temporaryDirectory()
    const port = await freePort()
    const words = ['start', '--', '--port', String(port), '--dir', directory]
    const first = npm(words)
    await first.shows(new RegExp(`Listening on 127\\.0\\.0\\.1:${port} `), 30_000)
    const second = await npm(words).finished
    assert.equal(second.code, 2, second.stderr)
    assert.match(second.stderr, /in use/)
    const sent = await runMillrace(['avro-client', '-H', '127.0.0.1', '-p', String(port)], {
      stdin: 'hello',
    })
    assert.equal(sent.code, 0, sent.stderr)
    await first.shows(/ {2}hello$/m)
    first.kill('SIGINT')
    const { code, stdout } = await first.finished
    assert.equal(code, 0)
    assert.match(stdout, /^Events kept in .*: 1$/m)
  })

  it('names npm run demo, which ends with lost 0', async () => {
    const { code, stdout, stderr } = await npm([
      'run',
      'demo',
      '--',
      '--events',
      '50',
      '--seconds',
      '1',
      '--dir',
      temporaryDirectory(),
    ]).finished
    assert.equal(code, 0, stdout + stderr)
    assert.match(stdout, /lost 0\./)
  })

  it('finds the command where npm put it', () => {
    const bin = readdirSync(join(repository, 'node_modules', '.bin'))
    assert.ok(bin.some((name) => name.startsWith('millrace')))
    assert.ok(readFileSync(millraceFile, 'utf8').startsWith('#!/usr/bin/env node'))
  })
})
