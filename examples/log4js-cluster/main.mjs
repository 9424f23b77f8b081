// A cluster with log4js. With disableClustering each process has an appender of its own: nothing goes through the primary, and
// errors keep their causes. millrace.worker tells the processes apart. Run: MILLRACE_HOSTS=127.0.0.1:41414 node main.mjs
import cluster from 'node:cluster'
import { close, mdc, optionsFromEnvironment } from '@millrace/log4js'
import log4js from 'log4js'

log4js.configure({
  appenders: {
    millrace: {
      type: '@millrace/log4js',
      hosts: '127.0.0.1:41414',
      context: { include: ['job'] },
      ...optionsFromEnvironment(),
    },
  },
  categories: { default: { appenders: ['millrace'], level: 'info' } },
  disableClustering: true,
})
const logger = log4js.getLogger('jobs')

if (cluster.isPrimary) {
  for (let n = 0; n < 2; n += 1) cluster.fork()
  logger.info('the primary has started its workers')
  let left = 2
  cluster.on('exit', () => {
    left -= 1
    if (left === 0) void close()
  })
} else {
  mdc.run({ job: `job-${cluster.worker.id}` }, () => logger.info('a worker has done its job'))
  await close()
  cluster.worker.disconnect()
}
