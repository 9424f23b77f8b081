import { createServer } from 'node:net'
import { resolve } from 'node:path'
import { Agent } from '@millrace/agent-core'
import { createLogger, delay, systemClock } from '@millrace/runtime'
import pc from 'picocolors'
import { parseArguments, wholeNumber } from '../arguments.js'
import { EXIT_OK, type ExitCode, UsageError } from '../exit-code.js'
import { banner } from '../receive/banner.js'
import { EventStore } from '../receive/event-store.js'
import { CHANNEL, receiveConfiguration } from '../receive/receive-configuration.js'
import { ReceiveSink } from '../receive/receive-sink.js'
import {
  explainListenError,
  explainStartError,
  explainStoreError,
} from '../receive/start-errors.js'
import { stopSignals } from '../stop-signals.js'
import { type Terminal, wantsColour } from '../terminal.js'
import { youngGenerationCollector } from '../young-generation.js'

/** Longest time that a write under way may take after Ctrl-C, in milliseconds. */
const STOP_TIMEOUT_MS = 10_000
/** How long events that wait are still shown after Ctrl-C, and how often they are counted, in milliseconds. */
const SHOW_MS = 1_000
const CHECK_MS = 10

interface Options {
  readonly host: string
  readonly port: number
  readonly dir: string
  readonly json: boolean
  readonly headers: boolean
}

/** `millrace receive`: shows every event that comes and keeps it in files, until Ctrl-C. */
export async function run(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const parsed = await parseArguments<Options>(args, terminal, (command) =>
    command
      .name('millrace receive')
      .description("Receives events over Flume's Avro RPC, shows them and keeps them in files.")
      .option('--host <host>', 'address to listen on', '127.0.0.1')
      .option('--port <port>', 'port to listen on', wholeNumber('--port', 0, 65_535), 41_414)
      .option('--dir <dir>', 'folder in which events are kept', '.millrace')
      .option('--json', 'one line of JSON for each event', false)
      .option('--headers', 'show the headers of each event', false),
  )
  if ('exit' in parsed) return parsed.exit
  return receive(parsed.options, terminal)
}

async function receive(options: Options, terminal: Terminal): Promise<ExitCode> {
  const signals = stopSignals({ environment: terminal.environment, also: ['SIGHUP'] })
  const logger = createLogger({ level: 'warn', write: (line) => terminal.stderr.write(line) })
  const directory = resolve(options.dir)
  const store = new EventStore({ directory, clock: systemClock })
  await store.open().catch((error: unknown) => {
    throw new UsageError(explainStoreError(error, directory))
  })
  const sink = new ReceiveSink({
    store,
    output: terminal.stdout,
    json: options.json,
    showHeaders: options.headers,
    colours: pc.createColors(wantsColour(terminal.stdout, terminal.environment)),
    clock: systemClock,
    logger,
  })
  terminal.stdout.whenClosed(() =>
    terminal.stderr.write(`Nobody reads the output any more; events are kept in ${directory}\n`),
  )
  const agent = new Agent({ logger, onBytes: youngGenerationCollector() })
  const { host } = options
  const port = options.port === 0 ? await freePort(host) : options.port
  try {
    await agent.start(await receiveConfiguration({ host, port, directory, sink }))
  } catch (error) {
    await store.close()
    throw new UsageError(explainStartError(error, { host, port, directory }))
  }
  // Standard output belongs to the events when they are JSON.
  const notes = options.json ? terminal.stderr : terminal.stdout
  notes.write(banner({ host, port, directory }))

  await signals.requested
  const waiting = () => Number(agent.metrics()[`CHANNEL.${CHANNEL}`]?.['ChannelSize'] ?? 0)
  // What has come is shown, as far as that takes no time; the channel keeps the rest.
  for (let waitedMs = 0; waiting() > 0 && waitedMs < SHOW_MS; waitedMs += CHECK_MS) {
    await delay(CHECK_MS)
  }
  await agent.stop({ deadlineMs: STOP_TIMEOUT_MS })
  const left = waiting()
  const rest = left > 0 ? `; ${left} more wait in its channel and are shown at the next start` : ''
  notes.write(`\nEvents kept in ${directory}: ${sink.eventCount}${rest}\n`)
  return EXIT_OK
}

/** A port that is free now. */
async function freePort(host: string): Promise<number> {
  const server = createServer()
  return new Promise((resolvePort, reject) => {
    server.once('error', (error) => reject(new UsageError(explainListenError(error, host, 0))))
    server.listen(0, host, () => {
      const address = server.address()
      server.close(() => resolvePort(typeof address === 'object' && address ? address.port : 0))
    })
  })
}
