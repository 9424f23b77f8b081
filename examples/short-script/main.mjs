// A script of some 50 ms that logs and ends. It need not wait for anything: at its natural end the process is kept alive
// until what waits is delivered, at most exitTimeoutMs. It sets process.exitCode and never calls process.exit().
// Run: MILLRACE_HOSTS=127.0.0.1:41414 node main.mjs
import { MillraceTransport, optionsFromEnvironment } from '@millrace/winston'
import winston from 'winston'

const logger = winston.createLogger({
  transports: [
    new MillraceTransport({
      hosts: '127.0.0.1:41414',
      loggerName: 'nightly',
      exitTimeoutMs: 3_000,
      ...optionsFromEnvironment(),
    }),
  ],
})

logger.info('begins')
for (let n = 1; n <= 98; n += 1) logger.info('file done', { n })
logger.warn('ends with a failure')
process.exitCode = 3
