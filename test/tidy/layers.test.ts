import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { repository } from '../support/repository.js'

/** Layers of ARCHITECTURE.md, lowest first. An import goes to a lower layer, or within the package. */
const LAYERS: readonly (readonly string[])[] = [
  ['@millrace/runtime'],
  ['@millrace/event'],
  ['@millrace/wal', '@millrace/rpc', '@millrace/component'],
  ['@millrace/appender'],
  ['@millrace/winston', '@millrace/log4js', '@millrace/pino', '@millrace/agent-core'],
  ['millrace'],
]
/** Imported by tests and by authors of components, never by another package's source. */
const TESTKIT = '@millrace/testkit'

interface Package {
  readonly directory: string
  readonly name: string
  readonly dependencies: readonly string[]
  readonly imports: readonly { readonly file: string; readonly target: string }[]
}

function readPackage(directory: string): Package {
  const manifest = JSON.parse(readFileSync(join(repository, directory, 'package.json'), 'utf8'))
  const source = join(repository, directory, 'src')
  const imports = readdirSync(source, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) => {
      const text = readFileSync(join(source, file), 'utf8')
      const found = text.matchAll(
        /(?<!\.)\b(?:from|import|require)\s*\(?\s*['"]([@a-z][^'"]*)['"]/g,
      )
      return [...found].map((match) => ({
        file: join(directory, 'src', file),
        target: match[1] ?? '',
      }))
    })
  return {
    directory,
    name: manifest.name,
    dependencies: Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }),
    imports,
  }
}

const packages = ['packages', 'appenders']
  .flatMap((folder) => readdirSync(join(repository, folder)).map((name) => join(folder, name)))
  .concat('agent-core')
  .filter((directory) => existsSync(join(repository, directory, 'package.json')))
  .map(readPackage)

const layerOf = (name: string) => LAYERS.findIndex((layer) => layer.includes(name))
const packageOf = (target: string) =>
  target.startsWith('@') ? target.split('/').slice(0, 2).join('/') : (target.split('/')[0] ?? '')

describe('layers', () => {
  it('hold every package', () => {
    const known = [...LAYERS.flat(), TESTKIT].toSorted()
    assert.deepEqual(packages.map((each) => each.name).toSorted(), known)
  })

  it('import downwards only', () => {
    const names = new Set(packages.map((each) => each.name))
    const wrong = packages.flatMap((each) =>
      each.imports
        .map(({ file, target }) => ({ file, target: packageOf(target) }))
        .filter(({ target }) => names.has(target) && target !== each.name)
        .filter(
          ({ target }) =>
            target === TESTKIT || (each.name !== TESTKIT && layerOf(target) >= layerOf(each.name)),
        )
        .map(({ file, target }) => `${file} imports ${target}`),
    )
    assert.deepEqual(wrong, [])
  })

  it('import only what their package.json declares', () => {
    const wrong = packages.flatMap((each) =>
      each.imports
        .filter(({ target }) => !target.startsWith('node:'))
        .filter(
          ({ target }) =>
            !each.dependencies.includes(packageOf(target)) && packageOf(target) !== each.name,
        )
        .map(({ file, target }) => `${file} imports ${target}`),
    )
    assert.deepEqual(wrong, [])
  })

  it('never reach into another package past its exports', () => {
    const wrong = packages.flatMap((each) =>
      each.imports
        .filter(({ target }) => target.startsWith('@millrace/') && target.split('/').length > 2)
        .filter(({ target }) => target !== '@millrace/testkit/receiver')
        .map(({ file, target }) => `${file} imports ${target}`),
    )
    assert.deepEqual(wrong, [])
  })
})

describe('built-in components', () => {
  it('never import the assembly, and only the registry imports them all', () => {
    const core = packages.find((each) => each.name === '@millrace/agent-core')
    assert.ok(core)
    const families = [
      'sources',
      'sinks',
      'channels',
      'interceptors',
      'selectors',
      'processors',
      'serializers',
    ]
    const source = join(repository, 'agent-core', 'src')
    const wrong = families
      .filter((family) => existsSync(join(source, family)))
      .flatMap((family) =>
        readdirSync(join(source, family), { recursive: true, encoding: 'utf8' })
          .filter((file) => file.endsWith('.ts'))
          .filter((file) =>
            /from '(\.\.\/)+(assembly|runners|agent|registry|processing)\b/.test(
              readFileSync(join(source, family, file), 'utf8'),
            ),
          )
          .map((file) => join(family, file)),
      )
    assert.deepEqual(wrong, [])
  })
})
