import assert from 'node:assert/strict'
import { type MockReceiver, mockReceiver } from '@millrace/testkit/receiver'
import { runScript } from '../../support/run-script.js'

describe('log4js appender in a cluster', () => {
  let receiver: MockReceiver
  beforeEach(async () => {
    receiver = await mockReceiver()
  })
  afterEach(() => receiver.close())

  for (const disableClustering of [false, true]) {
    const title = disableClustering
      ? 'is one in each process without clustering'
      : 'names the worker whose events the primary ships'
    it(title, async () => {
      const result = await runScript(
        `
        const cluster = require('node:cluster')
        const log4js = require('log4js')
        const { close } = require('@millrace/log4js')
        log4js.configure({
          appenders: { flume: { type: '@millrace/log4js', hosts: ['${receiver.address}'], body: 'json' } },
          categories: { default: { appenders: ['flume'], level: 'info' } },
          disableClustering: ${disableClustering},
        })
        log4js.getLogger('who').info(cluster.isPrimary ? 'primary' : 'worker')
        if (cluster.isPrimary) {
          const worker = cluster.fork()
          console.log(process.pid, worker.process.pid)
          worker.on('exit', () => close())
        } else {
          close().then(() => setImmediate(() => process.disconnect()))
        }
        `,
        { type: 'commonjs' },
      )
      assert.equal(result.code, 0, result.stderr)
      const pids = result.stdout.trim().split(' ')
      assert.equal(receiver.events.length, 2)
      const seen = receiver.events.map(({ headers, text }) => [
        JSON.parse(text).msg,
        headers['millrace.pid'],
        String(JSON.parse(text).pid),
        headers['millrace.worker'],
      ])
      assert.deepEqual(
        seen.sort((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1)),
        [
          ['primary', pids[0], pids[0], undefined],
          ['worker', pids[1], pids[1], 'cluster-1'],
        ],
      )
    })
  }
})
