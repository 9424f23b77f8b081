import { createReadStream } from 'node:fs'
import { access, constants, stat } from 'node:fs/promises'
import { EventBatch } from '@millrace/event'
import type { RpcClient } from '@millrace/rpc'
import { parseArguments, wholeNumber } from '../arguments.js'
import { connect, type ClientTarget } from '../client/connect.js'
import { readPropertiesFile } from '../client/properties-file.js'
import { readLines } from '../client/lines.js'
import { filesToSend, markCompleted } from '../client/spool-directory.js'
import { EXIT_FAILURE, EXIT_OK, type ExitCode, UsageError } from '../exit-code.js'
import type { Terminal } from '../terminal.js'

/** Events of one call, as Flume's client sends them. */
const DEFAULT_BATCH_SIZE = 5
/** The longest batch, so that its memory stays bounded. */
const MAX_BATCH_SIZE = 10_000

interface Options extends ClientTarget {
  readonly filename?: string
  readonly headerFile?: string
  readonly dirname?: string
  readonly batchSize: number
}

/** `millrace avro-client`: sends lines as events; fails unless the source took every one. */
export async function run(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const parsed = await parseArguments<Options>(args, terminal, (command) =>
    command
      .name('millrace avro-client')
      .description('Sends each line of a file, of a directory or of standard input as an event.')
      .option('-H, --host <host>', 'host of the avro source')
      .option('-p, --port <port>', 'its port', wholeNumber('--port', 1, 65_535))
      .option('-P, --rpcProps <file>', 'properties of an RPC client, instead of host and port')
      .option('-F, --filename <file>', 'the file to send; else standard input')
      .option('-R, --headerFile <file>', 'properties that become headers of every event')
      .option('--dirname <dir>', 'send every file of a directory and rename it to .COMPLETED')
      .option(
        '--batch-size <n>',
        'most events of one call',
        wholeNumber('--batch-size', 1, MAX_BATCH_SIZE),
        DEFAULT_BATCH_SIZE,
      ),
  )
  if ('exit' in parsed) return parsed.exit
  const { options } = parsed
  if (options.filename !== undefined && options.dirname !== undefined)
    throw new UsageError('--filename and --dirname exclude each other')
  const headers =
    options.headerFile === undefined ? {} : await readPropertiesFile(options.headerFile)
  const files = await inputFiles(options)
  return send(options, { headers, files }, terminal)
}

interface Input {
  readonly headers: Readonly<Record<string, string>>
  /** Undefined: standard input. */
  readonly files: readonly string[] | undefined
}

async function send(options: Options, input: Input, terminal: Terminal): Promise<ExitCode> {
  const progress = { sent: 0, where: input.files?.[0] ?? 'standard input' }
  let client: RpcClient | undefined
  try {
    client = await connect(options)
    const sender = { client, headers: input.headers, batchSize: options.batchSize, progress }
    if (!input.files) await sendLines(process.stdin, sender)
    for (const file of input.files ?? []) {
      progress.where = file
      await sendLines(createReadStream(file), sender)
      if (options.dirname !== undefined) await markCompleted(file)
    }
    return EXIT_OK
  } catch (error) {
    if (error instanceof UsageError) throw error
    const reason = error instanceof Error ? error.message : String(error)
    const { where, sent } = progress
    terminal.stderr.write(
      `millrace avro-client: ${where}: ${reason}; ${sent} events were accepted before\n`,
    )
    return EXIT_FAILURE
  } finally {
    await client?.close()
  }
}

interface Sender {
  readonly client: RpcClient
  readonly headers: Readonly<Record<string, string>>
  readonly batchSize: number
  readonly progress: { sent: number }
}

/** Sends what has come as soon as it has come, in batches. */
async function sendLines(chunks: AsyncIterable<Buffer>, sender: Sender): Promise<void> {
  const { client, headers, batchSize, progress } = sender
  for await (const lines of readLines(chunks)) {
    for (let at = 0; at < lines.length; at += batchSize) {
      const part = lines.slice(at, at + batchSize)
      await client.appendBatch(EventBatch.of(part.map((body) => ({ headers, body }))))
      progress.sent += part.length
    }
  }
}

/** The files to send, or undefined for standard input. */
async function inputFiles(options: Options): Promise<readonly string[] | undefined> {
  const path = options.dirname ?? options.filename
  if (path === undefined) return undefined
  try {
    if (options.dirname !== undefined) return await filesToSend(path)
    if ((await stat(path)).isDirectory()) throw new UsageError(`${path} is a directory`)
    await access(path, constants.R_OK)
    return [path]
  } catch (error) {
    if (error instanceof UsageError) throw error
    const reason = error instanceof Error ? error.message : String(error)
    throw new UsageError(`${path} cannot be read: ${reason}`)
  }
}
