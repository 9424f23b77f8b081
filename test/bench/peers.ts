/** Receivers that a benchmark starts and stops: the bare server, a Millrace agent, a real Flume agent. */
import { type ChildProcess, execFileSync, fork, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createConnection, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
export const root = join(here, '..', '..', '..')
const millraceBin = join(root, 'node_modules', '.bin', 'millrace')

/** A receiver under load. */
export interface Peer {
  readonly name: string
  readonly port: number
  readonly pids: readonly number[]
  /** Events that the receiver itself says it has accepted. */
  accepted(batchSize: number): Promise<number>
  stop(): Promise<void>
}

/** Processor time of live processes in seconds, and their peak memory in MB (Linux). */
export function usage(pids: readonly number[]): { cpuSeconds: number; peakMegabytes: number } {
  let cpuSeconds = 0
  let peakMegabytes = 0
  for (const pid of pids) {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    cpuSeconds += (Number(fields[11]) + Number(fields[12])) / 100
    const peak = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
    peakMegabytes += Number(peak?.[1] ?? 0) / 1_024
  }
  return { cpuSeconds, peakMegabytes }
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address ? address.port : 0
}

async function untilConnects(port: number, deadlineMs: number): Promise<void> {
  const end = performance.now() + deadlineMs
  for (;;) {
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = createConnection({ port, host: '127.0.0.1' }, () => {
        socket.destroy()
        resolve(true)
      })
      socket.on('error', () => resolve(false))
    })
    if (isOpen) return
    if (performance.now() > end) throw new Error(`nothing listens on port ${port}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

function stopChild(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) {
      resolve()
      return
    }
    const timer = setTimeout(() => child.kill('SIGKILL'), 15_000)
    child.once('exit', () => {
      clearTimeout(timer)
      resolve()
    })
    child.kill('SIGTERM')
  })
}

/** The ceiling: reads frames without looking inside. */
export async function startBare(): Promise<Peer> {
  const port = await freePort()
  const child = fork(join(here, 'bare-server.js'), [String(port)], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  await untilConnects(port, 5_000)
  return {
    name: 'bare loopback server',
    port,
    pids: [child.pid ?? 0],
    accepted: (batchSize) =>
      new Promise((resolve) => {
        child.once('message', (message: { frames: number }) => resolve(message.frames * batchSize))
        child.send('count')
      }),
    stop: () => stopChild(child),
  }
}

/** Properties of an agent: avro source → memory channel → the given sink. */
export function agentProperties(port: number, sink: Record<string, string>): string {
  const lines = [
    'a1.sources = r1',
    'a1.channels = c1',
    'a1.sinks = k1',
    'a1.sources.r1.type = avro',
    'a1.sources.r1.bind = 127.0.0.1',
    `a1.sources.r1.port = ${port}`,
    'a1.sources.r1.channels = c1',
    'a1.channels.c1.type = memory',
    'a1.channels.c1.capacity = 100000',
    'a1.channels.c1.transactionCapacity = 10000',
    'a1.sinks.k1.channel = c1',
    ...Object.entries(sink).map(([key, value]) => `a1.sinks.k1.${key} = ${value}`),
  ]
  return `${lines.join('\n')}\n`
}

async function acceptedByMetrics(monitoringPort: number): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${monitoringPort}/metrics`)
  const metrics = (await response.json()) as Record<string, Record<string, string>>
  return Number(metrics['SOURCE.r1']?.['EventAcceptedCount'] ?? 0)
}

async function startAgentProcess(
  name: string,
  command: (file: string, monitoringPort: number) => readonly [string, readonly string[]],
  sink: Record<string, string>,
): Promise<Peer> {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-bench-'))
  const port = await freePort()
  const monitoringPort = await freePort()
  const file = join(directory, 'agent.properties')
  writeFileSync(file, agentProperties(port, sink))
  const [program, args] = command(file, monitoringPort)
  const child = spawn(program, [...args], { stdio: ['ignore', 'ignore', 'ignore'] })
  await untilConnects(port, 60_000)
  await untilConnects(monitoringPort, 10_000)
  return {
    name,
    port,
    pids: [child.pid ?? 0],
    accepted: () => acceptedByMetrics(monitoringPort),
    stop: async () => {
      await stopChild(child)
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

const NULL_SINK = { type: 'null', batchSize: '1000' }
const monitoring = (port: number) => [
  '-Dflume.monitoring.type=http',
  `-Dflume.monitoring.port=${port}`,
]

/** An agent of this build. */
export function startMillrace(sink: Record<string, string> = NULL_SINK): Promise<Peer> {
  return startAgentProcess(
    'millrace agent',
    (file, port) => [
      process.execPath,
      [millraceBin, 'agent', '-n', 'a1', '-f', file, '--no-reload-conf', ...monitoring(port)],
    ],
    sink,
  )
}

/** Jars of a real Flume 1.11 agent, fetched by Maven; undefined where Java or Maven is missing. */
export function flumeClassPath(): string | undefined {
  const directory = join(root, '.bench', 'flume')
  const lib = join(directory, 'lib')
  try {
    execFileSync('java', ['-version'], { stdio: 'ignore' })
    if (!existsSync(lib)) {
      mkdirSync(directory, { recursive: true })
      const pom = join(root, 'test', 'java', 'flume', 'pom.xml')
      execFileSync(
        'mvn',
        ['-q', '-B', '-f', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${lib}`],
        {
          stdio: ['ignore', 'ignore', 'inherit'],
        },
      )
    }
  } catch {
    return undefined
  }
  return join(lib, '*')
}

/** A real Flume agent with a heap of 2 GB. */
export function startFlume(
  classPath: string,
  sink: Record<string, string> = NULL_SINK,
): Promise<Peer> {
  return startAgentProcess(
    'Apache Flume 1.11',
    (file, port) => [
      'java',
      [
        '-Xmx2g',
        ...monitoring(port),
        '-cp',
        classPath,
        'org.apache.flume.node.Application',
        '-n',
        'a1',
        '-f',
        file,
        '--no-reload-conf',
      ],
    ],
    sink,
  )
}
