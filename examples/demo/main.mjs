// Three applications log over two agents; one agent is killed and started again meanwhile; then
// every number that an application wrote down is looked for in what the agents stored.
//
//   npm run demo                               about ten seconds
//   npm run demo -- --events 300 --seconds 2   smaller
//   npm run demo -- --audit-only DIR           only the audit, over the files of an earlier run
import { existsSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { audit } from './audit.mjs'
import { endAll, freePorts, startAgent, startApplication } from './processes.mjs'

const APPLICATIONS = ['winston', 'log4js', 'pino']
/** What the demo makes in its directory, and removes before the next run. */
const PARTS = ['journals', 'channels', 'stored', 'logs']

/** Longest time until the agents' files have what the applications were told is safe, in milliseconds. */
const DRAIN_MS = 20_000

/** What an application tells of its appender. */
const REPORTED = ['accepted', 'delivered', 'resent', 'dropped']

const say = (text) => process.stdout.write(`${text}\n`)

function readOptions() {
  const { values } = parseArgs({
    options: {
      events: { type: 'string', default: '20000' },
      seconds: { type: 'string', default: '8' },
      dir: { type: 'string', default: join('.millrace', 'demo') },
      'audit-only': { type: 'string' },
    },
  })
  const events = Number(values.events)
  const seconds = Number(values.seconds)
  if (!Number.isInteger(events) || events < 1) throw new TypeError('--events needs a whole number')
  if (!(seconds >= 0)) throw new TypeError('--seconds needs a number')
  return { events, seconds, directory: resolve(values.dir), auditOnly: values['audit-only'] }
}

async function runDemo({ events, seconds, directory }) {
  for (const part of PARTS) {
    rmSync(join(directory, part), { recursive: true, force: true })
    mkdirSync(join(directory, part), { recursive: true })
  }
  const ports = await freePorts(2)
  const agents = ['a1', 'a2'].map((name, index) => {
    const stored = join(directory, 'stored', name)
    mkdirSync(stored)
    const log = join(directory, 'logs', `${name}.log`)
    const channel = join(directory, 'channels', name)
    return { name, port: ports[index], channel, directory: stored, log }
  })
  say(`Two agents start: ${agents.map(({ name, port }) => `${name} on port ${port}`).join(', ')}.`)
  const [first, second] = await Promise.all(agents.map(startAgent))

  say(
    `Three applications log ${events} events each within about ${seconds} s: winston, log4js, pino.`,
  )
  const hosts = ports.map((port) => `127.0.0.1:${port}`).join(',')
  const journalOf = (name) => join(directory, 'journals', `${name}.numbers`)
  const applications = APPLICATIONS.map((name) =>
    startApplication({
      name,
      hosts,
      events,
      seconds,
      journal: journalOf(name),
      log: join(directory, 'logs', `${name}.log`),
    }),
  )
  const reports = Promise.all(applications.map(({ ended }) => ended))
  const hasLogged = (share) => () =>
    APPLICATIONS.every((name) => countLines(journalOf(name)) >= events * share)

  await Promise.race([reports, waitFor(hasLogged(1 / 3))])
  await second.kill()
  say('Agent a2 is killed (SIGKILL). The applications go on.')
  await Promise.race([reports, waitFor(hasLogged(2 / 3))])
  const again = await startAgent(agents[1])
  say('Agent a2 runs again.')

  const counts = await reports
  // What an agent has acknowledged may still be on its way from its channel to its files.
  const untilMs = Date.now() + DRAIN_MS
  const isStored = () => audit(directory).every(({ lost }) => lost === 0)
  await waitFor(() => isStored() || Date.now() > untilMs, 100)
  await Promise.all([first.stop(), again.stop()])
  say('Applications and agents have ended.\n')
  return new Map(APPLICATIONS.map((name, index) => [name, counts[index]]))
}

async function waitFor(condition, pauseMs = 20) {
  while (!condition()) await sleep(pauseMs)
}

function countLines(file) {
  if (!existsSync(file) || statSync(file).size === 0) return 0
  return readFileSync(file, 'latin1').split('\n').length - 1
}

/** A table with its numbers to the right. */
function table(rows) {
  const widths = rows[0].map((_, column) =>
    Math.max(...rows.map((row) => String(row[column]).length)),
  )
  return rows
    .map((row) =>
      row
        .map((cell, column) =>
          column === 0
            ? String(cell).padEnd(widths[column])
            : String(cell).padStart(widths[column]),
        )
        .join('  '),
    )
    .join('\n')
}

function showResult(directory, reports) {
  const results = audit(directory)
  const count = (application, key) => reports?.get(application)?.[key] ?? '-'
  say(
    table([
      ['', ...REPORTED, 'stored', 'doubled', 'lost'],
      ...results.map(({ application, stored, doubled, lost }) => [
        application,
        ...REPORTED.map((key) => count(application, key)),
        stored,
        doubled,
        lost,
      ]),
    ]),
  )
  const written = results.reduce((sum, result) => sum + result.written, 0)
  const lost = results.reduce((sum, result) => sum + result.lost, 0)
  say(`\nAudit: ${written} numbers written down before they were logged; lost ${lost}.`)
  if (written === 0) say('Nothing was written down, so nothing was proved.')
  say(`Files: ${directory}`)
  return lost === 0 && written > 0 ? 0 : 1
}

process.on('exit', endAll)
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1))
try {
  const options = readOptions()
  if (options.auditOnly !== undefined) process.exitCode = showResult(resolve(options.auditOnly))
  else process.exitCode = showResult(options.directory, await runDemo(options))
} catch (error) {
  process.stderr.write(`demo: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
