import { MillraceTransport } from '@millrace/winston'
import winston from 'winston'
import { agents, logNumbers, report } from './paced.mjs'

const transport = new MillraceTransport({ hosts: agents, strategy: 'round_robin' })
const logger = winston.createLogger({
  format: winston.format.printf(({ message }) => message),
  transports: [transport],
})

await logNumbers((number) => logger.info(`winston ${number}`))
const isSettled = await transport.flush({ timeoutMs: 20_000 })
report(isSettled, transport.state())
await transport.close()
