/** A server whose handler resolves at once. Usage: node null-server.js PORT [tick|immediate] */
import { AvroRpcServer } from '@millrace/rpc'

const [port = '0', mode = 'sync'] = process.argv.slice(2)
const later = async () => {
  if (mode === 'immediate') await new Promise((resolve) => setImmediate(resolve))
}
const handler = { append: later, appendBatch: later }
const server = new AvroRpcServer({ host: '127.0.0.1', port: Number(port), handler })
const address = await server.listen()
process.stdout.write(`ready ${address.port}\n`)
process.once('SIGINT', () => void server.close({ deadlineMs: 1_000 }))
