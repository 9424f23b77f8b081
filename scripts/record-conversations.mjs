// node scripts/record-conversations.mjs: lets clients of Apache Flume talk to sources of Apache Flume and keeps what they
// say under test/golden/conversations, which npm test plays to Millrace without Java. Needs what npm run test:full needs.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { build, install, root } from './bootstrap.mjs'

install()
build()
const program = join(root, 'test', 'dist', 'support', 'interop', 'record-conversations.js')
process.exitCode = spawnSync(process.execPath, [program], { stdio: 'inherit' }).status ?? 1
