// Fastify with pino in its process: errors keep their causes, and nothing must be bundled for a worker.
// Run: MILLRACE_HOSTS=127.0.0.1:41414 PORT=3000 node main.mjs
import { createDestination, closeOnSignals, optionsFromEnvironment } from '@millrace/pino'
import Fastify from 'fastify'
import { pino } from 'pino'

const destination = createDestination({
  hosts: '127.0.0.1:41414',
  context: { include: ['reqId'] },
  ...optionsFromEnvironment(),
})
const app = Fastify({ loggerInstance: pino({ name: 'shop' }, destination) })

app.get('/orders/:id', async (request) => {
  request.log.info({ order: request.params.id }, 'order asked for')
  return { id: request.params.id }
})
app.get('/broken', async () => {
  throw new Error('no such order', { cause: new RangeError('index 7 of 3') })
})

await app.listen({ port: Number(process.env.PORT ?? 3_000), host: '127.0.0.1' })
console.log(`listening on ${app.server.address().port}`)
closeOnSignals(async ({ timeoutMs }) => {
  await app.close()
  await destination.close({ timeoutMs })
})
