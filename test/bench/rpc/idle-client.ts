/** A program that logs once and has nothing more to do. Usage: node idle-client.js PORT ref|unref */
import { EventBatch } from '@millrace/event'
import { AvroRpcConnection } from '@millrace/rpc'

const [port, mode] = process.argv.slice(2)
const connection = new AvroRpcConnection({
  host: '127.0.0.1',
  port: Number(port),
  ref: mode === 'ref',
})
const limits = { timeoutMs: 20_000 }
// An unreferenced connect does not keep the process alive either: only this program's own wait does.
const alive = setTimeout(() => {}, 10_000)
await connection.connect(limits)
await connection.call('append', EventBatch.of([{ body: 'once' }]), limits)
clearTimeout(alive)
process.stdout.write('sent\n')
