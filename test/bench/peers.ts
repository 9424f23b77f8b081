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

/** What a receiver says of itself. */
export interface PeerFigures {
  /** Events accepted since its start. */
  readonly accepted: number
  /** Accepted events that wait in the channel. */
  readonly backlog: number
  /** Events that left the channel. */
  readonly taken: number
  /** Syncs and bytes of its writes to files; undefined where it does not tell. */
  readonly syncs: number | undefined
  readonly bytesWritten: number | undefined
}

/** A receiver under load. */
export interface Peer {
  readonly name: string
  readonly port: number
  readonly pids: readonly number[]
  /** Events that the receiver itself says it has accepted. */
  accepted(batchSize: number): Promise<number>
  figures(batchSize: number): Promise<PeerFigures>
  stop(): Promise<void>
  /** Ends it by SIGKILL and leaves its files. */
  kill(): Promise<void>
}

export interface Usage {
  /** Processor time in seconds, of all threads. */
  readonly cpuSeconds: number
  /** The part of it that the kernel took. */
  readonly systemSeconds: number
  /** The part of it of the main threads. */
  readonly mainSeconds: number
  /** Most memory that the processes ever had, in MB. */
  readonly peakMegabytes: number
}

/** User and system time in a `stat` file of Linux, in seconds. */
function cpuTimes(file: string): readonly [number, number] {
  const stat = readFileSync(file, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return [Number(fields[11]) / 100, Number(fields[12]) / 100]
}

/** Processor time of live processes and their peak memory (Linux). */
export function usage(pids: readonly number[]): Usage {
  let cpuSeconds = 0
  let systemSeconds = 0
  let mainSeconds = 0
  let peakMegabytes = 0
  for (const pid of pids) {
    const [user, system] = cpuTimes(`/proc/${pid}/stat`)
    const [mainUser, mainSystem] = cpuTimes(`/proc/${pid}/task/${pid}/stat`)
    cpuSeconds += user + system
    systemSeconds += system
    mainSeconds += mainUser + mainSystem
    const peak = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
    peakMegabytes += Number(peak?.[1] ?? 0) / 1_024
  }
  return { cpuSeconds, systemSeconds, mainSeconds, peakMegabytes }
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

function endChild(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
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
    child.kill(signal)
  })
}

interface BareCounts {
  readonly frames: number
  readonly syncs: number
  readonly bytesWritten: number
}

/** The ceiling: reads frames without looking inside, and with a file appends them there and syncs. */
export async function startBare(file?: string): Promise<Peer> {
  const port = await freePort()
  const args = [String(port), ...(file === undefined ? [] : [file])]
  const child = fork(join(here, 'bare-server.js'), args, {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  await untilConnects(port, 30_000)
  const counts = () =>
    new Promise<BareCounts>((resolve) => {
      child.once('message', (message: BareCounts) => resolve(message))
      child.send('count')
    })
  return {
    name: file === undefined ? 'bare loopback server' : 'bare loop with fdatasync',
    port,
    pids: [child.pid ?? 0],
    accepted: async (batchSize) => (await counts()).frames * batchSize,
    figures: async (batchSize) => {
      const { frames, syncs, bytesWritten } = await counts()
      const accepted = frames * batchSize
      return { accepted, backlog: 0, taken: accepted, syncs, bytesWritten }
    },
    stop: () => endChild(child, 'SIGTERM'),
    kill: () => endChild(child, 'SIGKILL'),
  }
}

const MEMORY_CHANNEL = {
  type: 'memory',
  capacity: '100000',
  transactionCapacity: '10000',
}

/** Properties of an agent: avro source → channel → the given sink, or none. */
export function agentProperties(
  port: number,
  sink: Record<string, string> | undefined,
  channel: Record<string, string> = MEMORY_CHANNEL,
): string {
  const lines = [
    'a1.sources = r1',
    'a1.channels = c1',
    `a1.sinks = ${sink ? 'k1' : ''}`,
    'a1.sources.r1.type = avro',
    'a1.sources.r1.bind = 127.0.0.1',
    `a1.sources.r1.port = ${port}`,
    'a1.sources.r1.channels = c1',
    ...Object.entries(channel).map(([key, value]) => `a1.channels.c1.${key} = ${value}`),
    ...Object.entries(sink ? { ...sink, channel: 'c1' } : {}).map(
      ([key, value]) => `a1.sinks.k1.${key} = ${value}`,
    ),
  ]
  return `${lines.join('\n')}\n`
}

/** Names under which the file channel tells of its log. */
const SYNC_COUNT = 'SyncCount'
const BYTES_WRITTEN = 'BytesWritten'

async function figuresByMetrics(monitoringPort: number): Promise<PeerFigures> {
  const response = await fetch(`http://127.0.0.1:${monitoringPort}/metrics`)
  const metrics = (await response.json()) as Record<string, Record<string, string>>
  const channel = metrics['CHANNEL.c1'] ?? {}
  const told = (name: string) => (name in channel ? Number(channel[name]) : undefined)
  return {
    accepted: Number(metrics['SOURCE.r1']?.['EventAcceptedCount'] ?? 0),
    backlog: Number(channel['ChannelSize'] ?? 0),
    taken: Number(channel['EventTakeSuccessCount'] ?? 0),
    syncs: told(SYNC_COUNT),
    bytesWritten: told(BYTES_WRITTEN),
  }
}

/** What an agent is made of. */
export interface AgentSetup {
  /** Undefined: a null sink. `none`: no sink. */
  readonly sink?: Record<string, string> | 'none'
  /** Default: a memory channel. */
  readonly channel?: Record<string, string>
  /** Options of Node, for Millrace. */
  readonly nodeOptions?: readonly string[]
}

interface AgentCommand {
  readonly name: string
  readonly words: (file: string, monitoringPort: number) => readonly [string, readonly string[]]
}

async function startAgentProcess(command: AgentCommand, setup: AgentSetup): Promise<Peer> {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-bench-'))
  const port = await freePort()
  const monitoringPort = await freePort()
  const file = join(directory, 'agent.properties')
  const { sink = NULL_SINK, channel } = setup
  writeFileSync(file, agentProperties(port, sink === 'none' ? undefined : sink, channel))
  const [program, args] = command.words(file, monitoringPort)
  const child = spawn(program, [...args], { stdio: ['ignore', 'ignore', 'ignore'] })
  await untilConnects(port, 60_000)
  await untilConnects(monitoringPort, 10_000)
  const end = async (signal: 'SIGTERM' | 'SIGKILL') => {
    await endChild(child, signal)
    rmSync(directory, { recursive: true, force: true })
  }
  return {
    name: command.name,
    port,
    pids: [child.pid ?? 0],
    accepted: async () => (await figuresByMetrics(monitoringPort)).accepted,
    figures: () => figuresByMetrics(monitoringPort),
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
  }
}

const NULL_SINK = { type: 'null', batchSize: '1000' }
const monitoring = (port: number) => [
  '-Dflume.monitoring.type=http',
  `-Dflume.monitoring.port=${port}`,
]

/** An agent of this build. */
export function startMillrace(setup: AgentSetup = {}): Promise<Peer> {
  const { nodeOptions = [] } = setup
  const words = (file: string, port: number) =>
    [
      process.execPath,
      [
        ...nodeOptions,
        millraceBin,
        'agent',
        '-n',
        'a1',
        '-f',
        file,
        '--no-reload-conf',
        ...monitoring(port),
      ],
    ] as const
  return startAgentProcess({ name: 'millrace agent', words }, setup)
}

/** Jars of a real Flume 1.11 agent, fetched by Maven; undefined where Java or Maven is missing. */
export function flumeClassPath(): string | undefined {
  const directory = join(root, '.bench', 'flume')
  const lib = join(directory, 'lib')
  try {
    execFileSync('java', ['-version'], { stdio: 'ignore' })
    if (!existsSync(lib)) {
      mkdirSync(directory, { recursive: true })
      const pom = join(root, 'test', 'interop', 'java', 'flume-1.11', 'pom.xml')
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
export function startFlume(classPath: string, setup: AgentSetup = {}): Promise<Peer> {
  const main = ['-cp', classPath, 'org.apache.flume.node.Application']
  const words = (file: string, port: number) =>
    [
      'java',
      ['-Xmx2g', ...monitoring(port), ...main, '-n', 'a1', '-f', file, '--no-reload-conf'],
    ] as const
  return startAgentProcess({ name: 'Apache Flume 1.11', words }, setup)
}

/** Keys of a file channel in a directory, for an agent of either kind. */
export function fileChannel(
  directory: string,
  more: Record<string, string> = {},
): Record<string, string> {
  return {
    type: 'file',
    checkpointDir: join(directory, 'checkpoint'),
    dataDirs: join(directory, 'data'),
    capacity: '1000000',
    transactionCapacity: '10000',
    ...more,
  }
}
