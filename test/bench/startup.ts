/**
 * How long from the start of `millrace agent` to its `ready` line, beside `node -e 0`?
 *
 *     npm run bench -- startup [--rounds 20] [--json FILE]
 */
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { agentProperties, freePort, root } from './peers.js'
import { argument, median, printTable, writeReport } from './report.js'

const rounds = Number(argument('rounds', '20'))
const directory = mkdtempSync(join(tmpdir(), 'millrace-bench-'))
const file = join(directory, 'agent.properties')
writeFileSync(file, agentProperties(await freePort(), { type: 'null' }))

function startAgent(): Promise<number> {
  const start = performance.now()
  const args = [join(root, 'node_modules', '.bin', 'millrace'), 'agent', '-n', 'a1', '-f', file]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  return new Promise((resolve, reject) => {
    let readyMs = 0
    child.stdout.once('data', () => {
      readyMs = performance.now() - start
      child.kill('SIGTERM')
    })
    child.once('exit', () =>
      readyMs > 0 ? resolve(readyMs) : reject(new Error('the agent did not start')),
    )
  })
}

function startNode(): number {
  const start = performance.now()
  spawnSync(process.execPath, ['-e', '0'])
  return performance.now() - start
}

const agentMs: number[] = []
const nodeMs: number[] = []
for (let round = 0; round < rounds; round += 1) {
  nodeMs.push(startNode())
  agentMs.push(await startAgent())
}
rmSync(directory, { recursive: true, force: true })
const result = {
  agentMs: median(agentMs),
  nodeMs: median(nodeMs),
  ratio: median(agentMs) / median(nodeMs),
}
printTable([
  {
    'start to ready': `${result.agentMs.toFixed(0)} ms`,
    'node -e 0': `${result.nodeMs.toFixed(0)} ms`,
    ratio: result.ratio.toFixed(1),
  },
])
writeReport('startup', { rounds, ...result, raw: { agentMs, nodeMs } })
