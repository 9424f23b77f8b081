/**
 * Program: node hostile-crowd.js PORTS CONNECTIONS SEED CASES. Opens idle connections to an agent, every second one
 * with its handshake done, says `ready`, and with the first line that it reads begins hostile conversations, CASES a
 * second.
 */
import { connect, type Socket } from 'node:net'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { recordedCorpus } from '../../support/fuzz/corpus.js'
import { attackOnServer } from '../../support/fuzz/generate.js'
import { playServerCase, type ServerPorts } from '../../support/fuzz/server-case.js'
import { FIRST_APPEND } from '../../support/rpc/golden.js'

const [portsText = '{}', connections = '0', firstSeed = '1', casesPerSecond = '50'] =
  process.argv.slice(2)
const ports = JSON.parse(portsText) as ServerPorts
const LANES = 6
const AT_ONCE = 200

async function idle(index: number): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port: ports.plain })
  await once(socket, 'connect')
  if (index % 2 === 0) {
    socket.write(FIRST_APPEND)
    await once(socket, 'data')
  }
  // One that is closed is no longer idle: the crowd is said to be too small.
  socket.on('error', () => process.exit(1)).on('close', () => process.exit(1))
  return socket
}

const crowd: Socket[] = []
while (crowd.length < Number(connections)) {
  const more = Math.min(AT_ONCE, Number(connections) - crowd.length)
  const first = crowd.length
  crowd.push(...(await Promise.all(Array.from({ length: more }, (_, i) => idle(first + i)))))
}
console.log('ready')
await once(process.stdin, 'data')
const corpus = recordedCorpus()
const begun = performance.now()
let played = 0
async function lane(): Promise<void> {
  for (;;) {
    const fuzz = await attackOnServer(Number(firstSeed) + played, corpus)
    played += 1
    await playServerCase(fuzz, ports)
    const dueMs = (played * 1_000) / Number(casesPerSecond)
    await pause(Math.max(0, begun + dueMs - performance.now()))
  }
}
console.log('fuzzing')
await Promise.all(Array.from({ length: LANES }, lane))
