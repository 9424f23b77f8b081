// npm run campaign -- NAME [options]: installs and builds what is missing, then runs the long form of a test.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { build, install, root } from './bootstrap.mjs'

const CAMPAIGNS = {
  kill9: 'an agent under load is killed and restarted [--kills N --seed N --senders N --sinks N]',
  'power-loss':
    'random schedules over a log on a disk that loses its power [--points N --seed N --faults]',
  'fault-sweep': 'each call of a fixed run over a log fails once with each error [--kind KIND]',
  'killed-pair':
    "Flume's load-balancing client and two agents, killed in turn [--kills N --every MS --flume VERSION]",
  'reload-storm': 'random edits of a configuration under load [--edits N --seed N]',
  'fuzz-server': 'hostile clients of an agent [--seconds N --seed S --show S]',
  'fuzz-client': 'hostile servers of a client [--seconds N --seed S --show S]',
  'idle-connections':
    'an idle crowd and hostile clients beside a good one [--connections N --seconds N]',
  damage: 'each bit and each length of a small log, zeroed pages of a larger one [--every N]',
}

const [name = '', ...args] = process.argv.slice(2)
if (!(name in CAMPAIGNS)) {
  console.error('usage: npm run campaign -- NAME [options]\n')
  for (const [each, text] of Object.entries(CAMPAIGNS))
    console.error(`  ${each.padEnd(17)} ${text}`)
  process.exit(2)
}
install()
build()
const result = spawnSync(
  process.execPath,
  ['--enable-source-maps', join(root, 'test', 'dist', 'bench', 'campaigns', `${name}.js`), ...args],
  { stdio: 'inherit' },
)
process.exitCode = result.status ?? 1
