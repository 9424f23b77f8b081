import { flush, states } from '@millrace/log4js'
import log4js from 'log4js'
import { agents, logNumbers, report } from './paced.mjs'

log4js.configure({
  appenders: { millrace: { type: '@millrace/log4js', hosts: agents, strategy: 'round_robin' } },
  categories: { default: { appenders: ['millrace'], level: 'info' } },
})
const logger = log4js.getLogger('demo')

await logNumbers((number) => logger.info(`log4js ${number}`))
const isSettled = await flush({ timeoutMs: 20_000 })
report(isSettled, states()[0])
await new Promise((resolve) => log4js.shutdown(resolve))
