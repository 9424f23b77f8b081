import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { repository } from './repository.js'

export interface ScriptResult {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
  readonly durationMs: number
}

export interface ScriptOptions {
  /** Default `module`. */
  readonly type?: 'module' | 'commonjs'
  readonly env?: Readonly<Record<string, string>>
  /** The process is killed then, and the result has a signal. Default 15,000. */
  readonly timeoutMs?: number
}

/** Runs a program of a user in a process of its own; it can import what the tests can. */
export function runScript(source: string, options: ScriptOptions = {}): Promise<ScriptResult> {
  const { type = 'module', env = {}, timeoutMs = 15_000 } = options
  // A file and no --eval: pino looks for a transport from the file that asks for it. Not in dist: a build that another
  // test runs at the same time removes there what it has not compiled.
  mkdirSync(join(repository, 'test', '.scripts'), { recursive: true })
  const directory = mkdtempSync(join(repository, 'test', '.scripts', 'script-'))
  const file = join(directory, type === 'module' ? 'main.mjs' : 'main.cjs')
  writeFileSync(file, source)
  const started = performance.now()
  const child = spawn(process.execPath, [file], {
    cwd: join(repository, 'test'),
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => {
      rmSync(directory, { recursive: true, force: true })
      resolve({ code, signal, stdout, stderr, durationMs: performance.now() - started })
    })
  })
}
