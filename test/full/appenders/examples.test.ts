import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type MockReceiver, mockReceiver, type ReceivedEvent } from '@millrace/testkit/receiver'
import { TestCertificate } from '../../support/certificates.js'
import { repository } from '../../support/repository.js'
import { temporaryDirectory } from '../../support/temp-directory.js'

const examples = join(repository, 'examples')

function start(name: string, env: Record<string, string>): ChildProcess {
  return spawn(process.execPath, [join(examples, name, 'main.mjs')], {
    env: { ...process.env, PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

async function ended(child: ChildProcess): Promise<number | NodeJS.Signals | null> {
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  return code ?? signal
}

/** Asks a server that an example starts, then ends it by SIGTERM. */
async function serve(
  name: string,
  env: Record<string, string>,
  ask: (origin: string) => Promise<void>,
): Promise<number | NodeJS.Signals | null> {
  const child = start(name, env)
  assert.ok(child.stdout)
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
  await ask(`http://127.0.0.1:${line.split(' ').at(-1)}`)
  child.kill('SIGTERM')
  return ended(child)
}

describe('the examples', function () {
  this.timeout(60_000)
  let receiver: MockReceiver
  before(async () => {
    receiver = await mockReceiver()
  })
  after(() => receiver.close())
  beforeEach(() => receiver.clear())

  const env = () => ({ MILLRACE_HOSTS: receiver.address })
  const headers = (name: string) => receiver.events.map((event) => event.headers[name])

  /** What each must deliver. */
  const tests: Record<string, () => Promise<void>> = {
    'express-winston': async () => {
      const end = await serve('express-winston', env(), async (origin) => {
        await Promise.all(
          ['r-1', 'r-2'].map((id) =>
            fetch(`${origin}/orders/7`, {
              headers: { 'x-request-id': id, authorization: 'hunter2' },
            }),
          ),
        )
      })
      assert.equal(end, 'SIGTERM')
      assert.deepEqual(headers('mdc.requestId').sort(), ['r-1', 'r-1', 'r-2', 'r-2'])
      assert.doesNotMatch(receiver.events.map(({ text }) => text).join(), /hunter2/)
    },
    'fastify-pino': async () => {
      const end = await serve('fastify-pino', env(), async (origin) => {
        await fetch(`${origin}/orders/7`)
        assert.equal((await fetch(`${origin}/broken`)).status, 500)
      })
      assert.equal(end, 'SIGTERM')
      const failed = receiver.events.find(({ text }) => text.startsWith('no such order'))
      assert.match(failed?.text ?? '', /Caused by: RangeError: index 7 of 3/)
      assert.ok(headers('mdc.reqId').includes('req-1'))
    },
    'log4js-cluster': async () => {
      assert.equal(await ended(start('log4js-cluster', env())), 0)
      assert.deepEqual(headers('mdc.job').toSorted(), ['job-1', 'job-2', undefined])
      assert.deepEqual(headers('millrace.worker').toSorted(), ['cluster-1', 'cluster-2', undefined])
    },
    'short-script': async () => {
      assert.equal(await ended(start('short-script', env())), 3)
      assert.equal(receiver.events.length, 100)
    },
    'avro-bodies': async () => {
      assert.equal(await ended(start('avro-bodies', env())), 0)
      const isRecord = ({ headers }: ReceivedEvent) => 'flume.avro.schema.literal' in headers
      assert.equal(receiver.events.filter(isRecord).length, 3)
    },
    tls: async () => {
      const authority = new TestCertificate('authority')
      const [server, client] = ['localhost', 'client'].map(
        (name) => new TestCertificate(name, authority, [name]),
      )
      assert.ok(server && client)
      const { cert, key } = server
      const secure = await mockReceiver({
        tls: { cert, key, ca: authority.cert, clientAuth: 'need' },
      })
      const directory = temporaryDirectory()
      const file = (name: string, text: string): string => {
        writeFileSync(join(directory, name), text)
        return join(directory, name)
      }
      const child = start('tls', {
        MILLRACE_HOSTS: `localhost:${secure.port}`,
        CA: file('ca.pem', authority.cert),
        CERT: file('cert.pem', client.cert),
        KEY: file('key.pem', client.key),
      })
      assert.equal(await ended(child), 0)
      assert.equal(secure.events.length, 1)
      await secure.close()
    },
  }

  it('are all tried', () => {
    // The demo, the components and the packaging have tests of their own.
    const others = ['demo', 'components', 'packaging']
    const folders = readdirSync(examples).filter(
      (name) => !others.includes(name) && !name.includes('.'),
    )
    assert.deepEqual(folders.sort(), Object.keys(tests).sort())
  })

  for (const [name, test] of Object.entries(tests)) it(`${name} delivers what it logs`, test)
})
