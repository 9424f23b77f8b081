// npm run bench -- [NAME] [options]: installs and builds what is missing, then runs one benchmark of test/bench.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { build, install, root } from './bootstrap.mjs'

const BENCHMARKS = {
  throughput: 'avro source → memory channel → null sink, beside a bare server and a real Flume',
  durable:
    'avro source → file channel → null sink, beside a bare loop that syncs (and a real Flume)',
  'durable-open': 'start with a large file channel after kill -9; draining it while events arrive',
  'two-hops': 'processor time of agent → agent beside one agent',
  startup: 'start of millrace agent to its ready line',
  'appender-cost': 'processor time of a log call with each appender',
  'event-scan': 'validation and header edits of encoded events',
}

const [name = 'throughput', ...args] = process.argv.slice(2)
if (!(name in BENCHMARKS)) {
  console.error('usage: npm run bench -- NAME [options]\n')
  for (const [each, text] of Object.entries(BENCHMARKS))
    console.error(`  ${each.padEnd(14)} ${text}`)
  process.exit(2)
}
install()
build()
const result = spawnSync(
  process.execPath,
  [join(root, 'test', 'dist', 'bench', `${name}.js`), ...args],
  { stdio: 'inherit' },
)
process.exitCode = result.status ?? 1
