// oxlint (type-aware) for lint, biome for format; both must be clean.
import { build, install, root, run } from './bootstrap.mjs'
import { join } from 'node:path'

install()
build()
const bin = (name) => join(root, 'node_modules', '.bin', name)
run(bin('oxlint'), ['--type-aware', '--deny-warnings', '.'])
run(bin('biome'), ['format', '.'])
