// TLS: the receiver's certificate is from an authority of one's own, and the application shows a certificate, too.
// Run: MILLRACE_HOSTS=flume.example:41414 CA=ca.pem CERT=client.pem KEY=client-key.pem node main.mjs
import { readFileSync } from 'node:fs'
import { MillraceTransport, optionsFromEnvironment } from '@millrace/winston'
import winston from 'winston'

const { CA, CERT, KEY } = process.env
const transport = new MillraceTransport({
  hosts: 'localhost:41414',
  ...optionsFromEnvironment(),
  tls: { ca: readFileSync(CA), cert: readFileSync(CERT), key: readFileSync(KEY) },
})
const logger = winston.createLogger({ transports: [transport] })

logger.info('sent over TLS')
const isDelivered = await transport.flush({ timeoutMs: 3_000 })
await transport.close()
process.exitCode = isDelivered ? 0 : 1
