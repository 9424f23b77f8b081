import { createDestination } from '@millrace/pino'
import pino from 'pino'
import { agents, logNumbers, report } from './paced.mjs'

const destination = createDestination({ hosts: agents, strategy: 'round_robin', body: 'text' })
const logger = pino(destination)

await logNumbers((number) => logger.info(`pino ${number}`))
const isSettled = await destination.flush({ timeoutMs: 20_000 })
report(isSettled, destination.state())
await destination.close()
