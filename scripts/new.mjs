// npm run new -- KIND NAME [--directory DIR]: writes a component of one's own, which works, and its contract test.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { root } from './bootstrap.mjs'

const KINDS = [
  'source',
  'channel',
  'sink',
  'interceptor',
  'selector',
  'sink-processor',
  'serializer',
  'deserializer',
  'http-handler',
  'monitor',
]

function fail(message) {
  console.error(message)
  process.exit(2)
}

const args = process.argv.slice(2)
const at = args.indexOf('--directory')
const [, given] = at < 0 ? [] : args.splice(at, 2)
const [kind, name, ...others] = args
if (!KINDS.includes(kind) || name === undefined || others.length > 0)
  fail(`usage: npm run new -- KIND NAME [--directory DIR]\n\nKIND is one of ${KINDS.join(', ')}.`)
if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name)) fail(`${name} is no name such as my-${kind}`)

const directory = resolve(process.env.INIT_CWD ?? '.', given ?? '.')
const examples = join(root, 'examples', 'components')
const files = [`${kind}.js`, `${kind}.test.js`].map((file) => ({
  text: readFileSync(join(examples, file), 'utf8').replaceAll(`./${kind}.js`, `./${name}.js`),
  path: join(directory, file.replace(kind, name)),
}))
const there = files.find(({ path }) => existsSync(path))
if (there) fail(`${there.path} is there already`)
mkdirSync(directory, { recursive: true })
for (const { path, text } of files) {
  writeFileSync(path, text)
  console.log(path)
}
console.log(`\nA configuration names it by its path: type = ./${name}.js`)
console.log(`Its test: npx mocha ${name}.test.js`)
