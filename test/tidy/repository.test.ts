import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { repository } from '../support/repository.js'

/** Files that git knows or would take; a copy without git is walked instead. */
function listFiles(): readonly string[] {
  try {
    const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
      cwd: repository,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    return listed.split('\n').filter((file) => file !== '' && existsSync(join(repository, file)))
  } catch {
    return readdirSync(repository, { recursive: true, encoding: 'utf8' }).filter(
      (file) => !/(^|\/)(node_modules|dist|\.git|\.bench|\.full|\.millrace)(\/|$)/.test(file),
    )
  }
}

const files = listFiles()
const read = (file: string) => readFileSync(join(repository, file), 'utf8')
const sources = files.filter((file) =>
  /^(packages|appenders|agent-core)\/.*src\/.*\.ts$/.test(file),
)
const pages = files.filter((file) => file.endsWith('.md'))

describe('the repository', () => {
  it('has exactly the top-level folders of its plan', () => {
    const folders = new Set(
      files.filter((file) => file.includes('/')).map((file) => file.split('/')[0]),
    )
    const hidden = [...folders].filter((folder) => folder?.startsWith('.'))
    const shown = [...folders].filter((folder) => !folder?.startsWith('.')).toSorted()
    assert.deepEqual(shown, [
      'agent-core',
      'appenders',
      'docs',
      'examples',
      'packages',
      'scripts',
      'test',
    ])
    assert.deepEqual(hidden.toSorted(), ['.changes', '.ci'])
  })

  it('keeps no module state: no let at the top of a module', () => {
    const wrong = sources.filter((file) => /^(export )?let /m.test(read(file)))
    assert.deepEqual(wrong, [])
  })

  it('names no folder or file utils, common, helpers or manager', () => {
    const wrong = files.filter((file) =>
      /(^|[/-])(utils?|common|helpers?|manager)(\.|\/|$)/.test(file),
    )
    assert.deepEqual(wrong, [])
  })

  it('names source files in kebab case', () => {
    const wrong = sources.filter(
      (file) => !/^[a-z0-9-]+(\.[a-z0-9-]+)*\.ts$/.test(file.split('/').at(-1) ?? ''),
    )
    assert.deepEqual(wrong, [])
  })

  it('explains each disabled lint rule on its line', () => {
    const wrong = [...sources, ...files.filter((file) => /^test\/.*\.ts$/.test(file))].filter(
      (file) =>
        /(oxlint|eslint)-disable[^\n]*/.test(
          read(file).replaceAll(/(oxlint|eslint)-disable[^\n]* -- \S[^\n]*/g, ''),
        ),
    )
    assert.deepEqual(wrong, [])
  })

  it('leaves no download address in the lock file', () => {
    assert.doesNotMatch(read('package-lock.json'), /"resolved": "https?:/)
  })

  it('locks the optional packages of every platform, without which npm ci refuses', () => {
    const locked: Record<string, { optionalDependencies?: Record<string, string> }> = JSON.parse(
      read('package-lock.json'),
    ).packages
    const wrong = Object.entries(locked).flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies)
        .filter(
          (name) => !locked[`node_modules/${name}`] && !locked[`${path}/node_modules/${name}`],
        )
        .map((name) => `${path} needs ${name}`),
    )
    assert.deepEqual(wrong, [])
  })

  it('has a README in each package that is published', () => {
    const wrong = files
      .filter((file) =>
        /^(packages|appenders)\/[^/]+\/package\.json$|^agent-core\/package\.json$/.test(file),
      )
      .filter((file) => !files.includes(file.replace('package.json', 'README.md')))
    assert.deepEqual(wrong, [])
  })

  it('gives all packages the version of lerna.json', () => {
    const { version } = JSON.parse(read('lerna.json'))
    const wrong = files
      .filter((file) =>
        /^(packages|appenders)\/[^/]+\/package\.json$|^agent-core\/package\.json$/.test(file),
      )
      .flatMap((file) => {
        const manifest = JSON.parse(read(file))
        const own = Object.entries({
          ...manifest.dependencies,
          ...manifest.peerDependencies,
        }).filter(([name]) => name.startsWith('@millrace/'))
        return [[file, manifest.version], ...own].filter(([, each]) => each !== version)
      })
    assert.deepEqual(wrong, [])
  })
})

describe('the pages', () => {
  it('link to files that exist', () => {
    const wrong = pages.flatMap((page) =>
      [...read(page).matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)(#[^)]*)?\)/g)]
        .map((match) => match[1] ?? '')
        .filter((target) => !existsSync(join(repository, page, '..', target)))
        .map((target) => `${page}: ${target}`),
    )
    assert.deepEqual(wrong, [])
  })

  it('are of the four kinds', () => {
    const wrong = pages
      .filter((page) => page.startsWith('docs/'))
      .filter(
        (page) =>
          !/^docs\/(README|compatibility)\.md$|^docs\/(guides|reference|formats|decisions)\//.test(
            page,
          ),
      )
    assert.deepEqual(wrong, [])
  })

  it('number each decision once', () => {
    const numbers = pages
      .filter((page) => page.startsWith('docs/decisions/'))
      .map((page) => /^docs\/decisions\/(\d{4})-[a-z0-9-]+\.md$/.exec(page)?.[1] ?? page)
    assert.deepEqual(numbers, [...new Set(numbers)])
  })

  it('write each change fragment under a known kind', () => {
    const wrong = files
      .filter((file) => file.startsWith('.changes/'))
      .filter(
        (file) =>
          !/^\.changes\/[a-z0-9-]+\.(feature|fix|breaking|performance|security)\.md$/.test(file),
      )
    assert.deepEqual(wrong, [])
  })
})
