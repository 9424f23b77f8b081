// Starts the demo's processes and ends them.
import { spawn } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const millrace = join(
  dirname(createRequire(import.meta.url).resolve('millrace/package.json')),
  'bin',
  'millrace.js',
)

/** Ports that are free now; all are held until all are known, so that they differ. */
export async function freePorts(count) {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer()
      await new Promise((resolve, reject) => {
        server.once('error', reject)
        server.listen(0, '127.0.0.1', resolve)
      })
      return server
    }),
  )
  const ports = servers.map((server) => server.address().port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}

const running = new Set()

function start(args, log) {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  child.stderr.pipe(createWriteStream(log, { flags: 'a' }))
  running.add(child)
  const exited = new Promise((resolve) => {
    child.once('close', (code, signal) => {
      running.delete(child)
      resolve({ code, signal })
    })
  })
  return { child, exited, lines: createInterface({ input: child.stdout }) }
}

/** Starts an agent and resolves when it is ready. */
export async function startAgent({ name, port, channel, directory, log }) {
  const words = [millrace, 'agent', '--name', name, '--conf-file', join(here, `${name}.properties`)]
  words.push(`-Dport=${port}`, `-Dchannel=${channel}`, `-Ddirectory=${directory}`)
  const { child, exited, lines } = start(words, log)
  await new Promise((resolve, reject) => {
    lines.on('line', (line) => line.startsWith(`ready agent=${name}`) && resolve())
    void exited.then(({ code }) =>
      reject(new Error(`Agent ${name} ended with code ${code} before it was ready; see ${log}`)),
    )
  })
  return {
    /** Ends it as a crash does: it gets no time to store or answer anything. */
    async kill() {
      child.kill('SIGKILL')
      await exited
    },
    /** Stops it as a service manager does; what it has acknowledged stays in its channel. */
    async stop() {
      child.kill('SIGTERM')
      const { code, signal } = await exited
      if (code !== 0) throw new Error(`Agent ${name} ended with ${signal ?? code}; see ${log}`)
    },
  }
}

/** Starts an application; `ended` resolves with what it reports. */
export function startApplication({ name, hosts, events, seconds, journal, log }) {
  const { exited, lines } = start(
    [join(here, 'applications', `${name}.mjs`), hosts, String(events), String(seconds), journal],
    log,
  )
  const report = {}
  lines.on('line', (line) => line.startsWith('{') && Object.assign(report, JSON.parse(line)))
  return {
    ended: exited.then(({ code, signal }) => {
      if (code !== 0)
        throw new Error(`Application ${name} ended with ${signal ?? code}; see ${log}`)
      return report
    }),
  }
}

/** Ends what still runs. */
export function endAll() {
  for (const child of running) child.kill('SIGKILL')
}
