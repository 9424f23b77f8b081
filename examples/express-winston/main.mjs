// Express with winston. Each request has an id, and each event that is logged for it carries it as a header, across
// awaits. Run: MILLRACE_HOSTS=127.0.0.1:41414 PORT=3000 node main.mjs
import { AsyncLocalStorage } from 'node:async_hooks'
import { randomUUID } from 'node:crypto'
import {
  attachContext,
  closeOnSignals,
  MillraceTransport,
  optionsFromEnvironment,
} from '@millrace/winston'
import express from 'express'
import winston from 'winston'

const transport = new MillraceTransport({
  hosts: '127.0.0.1:41414',
  loggerName: 'shop',
  body: 'json',
  redact: ['password', 'authorization'],
  context: { include: ['requestId'] },
  ...optionsFromEnvironment(),
})
const requests = new AsyncLocalStorage()
const logger = attachContext(winston.createLogger({ transports: [transport] }), requests)

const app = express()
app.use((request, _response, next) => {
  requests.run({ requestId: request.get('x-request-id') ?? randomUUID() }, next)
})
app.get('/orders/:id', async (request, response) => {
  logger.info('order asked for', { order: request.params.id, headers: request.headers })
  await new Promise((resolve) => setTimeout(resolve, 5))
  logger.info('order found')
  response.json({ id: request.params.id })
})

const server = app.listen(Number(process.env.PORT ?? 3_000), '127.0.0.1', () => {
  console.log(`listening on ${server.address().port}`)
})
// First no more requests, then the last events.
closeOnSignals(async ({ timeoutMs }) => {
  server.close()
  await transport.close({ timeoutMs })
})
