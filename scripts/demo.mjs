// npm run demo: installs and builds what is missing, then runs examples/demo in this process.
import { build, install } from './bootstrap.mjs'

install()
build()
await import('../examples/demo/main.mjs')
