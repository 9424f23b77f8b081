// npm run sabotage: breaks the durable log, the file channel, the RPC and the agent on purpose, one way after the
// other, in a copy of the repository. The short tests must notice each; a breakage that none notices is a missing test.
//   npm run sabotage                     all of them (some 40 minutes)
//   npm run sabotage -- --slice 2/4      the second quarter
//   npm run sabotage -- --only salt,slot those whose name contains one of these
//   npm run sabotage -- --area channel   of those that --list names
//   npm run sabotage -- --from 40        the fortieth and those behind it
//   npm run sabotage -- --check          only whether each still finds what it breaks
//   npm run sabotage -- --list
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build, install, root } from './bootstrap.mjs'
import { AREAS } from './sabotage/breakages.mjs'
import { copyRepository } from './sabotage/copy.mjs'

/** The short tests of the log, the quickest first: the first that fails ends a run. */
const LOG_TESTS = [
  /^unit\/wal\//,
  /^integration\/wal\//,
  /^property\/wal\//,
  /^fault\/wal\/(?!fault-sweep)/,
  /^fault\/wal\/fault-sweep/,
]
/** Those of the channel and its sink, which run for the log too. */
const CHANNEL_TESTS = [
  /^unit\/agent\/(read-ahead|.*channel)/,
  /^contract\/channels\/file\./,
  /^integration\/agent\/file-channel/,
  /^fault\/sinks\/file-roll/,
  /^fault\/agent\/file-channel/,
  /^fault\/agent\/kill9/,
]
/** Those of dead letters and of the tools for logs, which test nothing else. */
const TOOL_TESTS = [
  /^unit\/agent\/(dead-letters|sink-runner)/,
  /^integration\/agent\/dead-letters/,
  /^(integration|fault)\/wal\/inspecting/,
  /^integration\/cli\/(channel|dlq)/,
]
/** Those of the RPC, its server and its clients. */
const RPC_TESTS = [
  /^unit\/rpc\//,
  /^interop\/rpc\//,
  /^integration\/rpc\//,
  /^fault\/rpc\//,
  /^property\/rpc\//,
  /^unit\/runtime\/order-selector/,
  /^fault\/agent\/(foreign-protocols|hostile)/,
]
/** Those of delivery, runners, processors, the avro source and sink, and TLS. */
const AGENT_TESTS = [
  /^unit\/(agent|tls)\//,
  /^unit\/configuration\/inherited-settings/,
  /^unit\/sources\/ip-filter/,
  /^contract\/channels\/memory/,
  /^integration\/sources\/avro/,
  /^integration\/sinks\/avro/,
  /^property\/agent\/memory-channel/,
  /^fault\/agent\/(refused-batches|stopping|conservation|two-hops)/,
  /^integration\/agent\/agent/,
]
/** A run that takes longer hangs, which is noticed too. */
const RUN_TIMEOUT_MS = 240_000

function option(name) {
  const at = process.argv.indexOf(`--${name}`)
  return at < 0 ? undefined : process.argv[at + 1]
}

/** The file with the breakage in it. Throws when what it replaces is not there exactly once. */
function broken(directory, { name, file, replace }) {
  let text = readFileSync(join(directory, file), 'utf8')
  for (const [search, replacement] of replace) {
    const count = text.split(search).length - 1
    if (count !== 1)
      throw new Error(
        `${name}: found ${count} times in ${file}, must be once; adapt scripts/sabotage:\n${search}`,
      )
    text = text.replace(search, () => replacement)
  }
  return text
}

/** Why a breakage does not find what it breaks. */
function misfit(breakage) {
  try {
    broken(root, breakage)
    return undefined
  } catch (error) {
    return error.message
  }
}

/** A breakage need not have the right types. */
const UNCHECKED = '// @ts-nocheck\n'

/** Compiles a copy. */
function compile(directory) {
  return spawnSync(process.execPath, [join(directory, 'scripts', 'build.mjs')], {
    cwd: directory,
    encoding: 'utf8',
  })
}

/** What a source is compiled to; log4js loads the only build that its package has. */
const outputOf = (file) =>
  file
    .replace('/src/', file.startsWith('appenders/log4js/') ? '/dist/cjs/' : '/dist/esm/')
    .replace(/\.ts$/, '.js')

/** Runs the tests until one fails; gives its title, or how else the run ended, or undefined when all passed. */
function firstFailure(directory, files) {
  const report = join(directory, 'sabotage-report.json')
  rmSync(report, { force: true })
  const result = spawnSync(
    process.execPath,
    [
      join(directory, 'node_modules', 'mocha', 'bin', 'mocha.js'),
      '--bail',
      '--exit',
      '--reporter',
      'json',
      '--reporter-option',
      `output=${report}`,
      '--require',
      join(directory, 'test', 'dist', 'support', 'seed.js'),
      '--timeout',
      '60000',
      ...files,
    ],
    {
      cwd: join(directory, 'test'),
      encoding: 'utf8',
      timeout: RUN_TIMEOUT_MS,
      killSignal: 'SIGKILL',
    },
  )
  if (result.error?.code === 'ETIMEDOUT') return `(no end within ${RUN_TIMEOUT_MS / 1_000} s)`
  const failures = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')).failures : []
  if (failures.length > 0) return failures[0].fullTitle
  return result.status === 0 ? undefined : `(the run ended with ${result.status ?? result.signal})`
}

function chosen() {
  const only = option('only')
  const [part = 1, parts = 1] = (option('slice') ?? '1/1').split('/').map(Number)
  const area = option('area')
  const all = area === undefined ? Object.values(AREAS).flat() : (AREAS[area] ?? [])
  const named = all.filter(
    ({ name }) => only === undefined || only.split(',').some((part) => name.includes(part)),
  )
  return named.slice(Number(option('from') ?? 1) - 1).filter((_, i) => i % parts === part - 1)
}

/** The tests of the areas that have some of their own. */
const AREA_TESTS = {
  tools: TOOL_TESTS,
  'rpc-server': RPC_TESTS,
  'rpc-wire': RPC_TESTS,
  'rpc-client': RPC_TESTS,
  agent: AGENT_TESTS,
  avro: AGENT_TESTS,
}

function testsOf(breakage) {
  if (breakage.tests) return breakage.tests
  for (const [area, tests] of Object.entries(AREA_TESTS))
    if (AREAS[area].includes(breakage)) return tests
  return breakage.file.startsWith('packages/wal/')
    ? [...LOG_TESTS, ...CHANNEL_TESTS]
    : CHANNEL_TESTS
}

function runAll(breakages) {
  const directory = copyRepository(root)
  const survivors = []
  try {
    const baseline = compile(directory)
    if (baseline.status !== 0) throw new Error(`The copy does not compile:\n${baseline.stdout}`)
    const all = [...new Set(breakages.flatMap(testsOf))]
    const failure = firstFailure(directory, testFiles(directory, all))
    if (failure) throw new Error(`Without a breakage this fails already: ${failure}`)
    for (const [i, breakage] of breakages.entries()) {
      const source = join(directory, breakage.file)
      const output = join(directory, outputOf(breakage.file))
      const [text, compiled] = [readFileSync(source, 'utf8'), readFileSync(output, 'utf8')]
      writeFileSync(source, UNCHECKED + broken(directory, breakage))
      const { stdout } = compile(directory)
      if (readFileSync(output, 'utf8') === compiled)
        throw new Error(`${breakage.name}: the broken file was not compiled:\n${stdout}`)
      const start = performance.now()
      const title = firstFailure(directory, testFiles(directory, testsOf(breakage)))
      const seconds = ((performance.now() - start) / 1_000).toFixed(0)
      console.log(
        `${i + 1}/${breakages.length} ${title ? 'noticed ' : 'SURVIVED'} ${breakage.name} (${seconds} s)${title ? `\n      by: ${title}` : ''}`,
      )
      if (!title) survivors.push(breakage.name)
      writeFileSync(source, text)
    }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
  return survivors
}

function testFiles(directory, patterns) {
  const dist = join(directory, 'test', 'dist')
  const all = readdirSync(dist, { recursive: true })
    .map((name) => name.replaceAll('\\', '/'))
    .filter((name) => name.endsWith('.test.js'))
    .sort()
  return patterns
    .flatMap((pattern) => all.filter((name) => pattern.test(name)))
    .map((name) => join(dist, name))
}

const breakages = chosen()
if (process.argv.includes('--list')) {
  for (const [area, all] of Object.entries(AREAS))
    for (const breakage of all.filter((each) => breakages.includes(each)))
      console.log(`${area}: ${breakage.name}  (${breakage.file})`)
} else {
  const misfits = breakages.flatMap((breakage) => misfit(breakage) ?? [])
  if (misfits.length > 0) {
    console.error(misfits.join('\n\n'))
    process.exit(1)
  }
  if (process.argv.includes('--check')) {
    console.log(`${breakages.length} breakages find what they break`)
  } else {
    install()
    build()
    const survivors = runAll(breakages)
    console.log(`\n${breakages.length - survivors.length} of ${breakages.length} breakages noticed`)
    for (const name of survivors) console.log(`no test notices: ${name}`)
    process.exitCode = survivors.length === 0 ? 0 : 1
  }
}
