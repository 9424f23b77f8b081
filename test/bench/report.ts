/** What all benchmarks share: medians, the table on the screen and the JSON file. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { root } from './peers.js'

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2
}

/** Reads `--name value` from the command line. */
export function argument(name: string, fallback: string): string {
  const at = process.argv.indexOf(`--${name}`)
  return (at >= 0 ? process.argv[at + 1] : undefined) ?? fallback
}

export function hasFlag(name: string): boolean {
  return process.argv.includes(`--${name}`)
}

/** Prints rows under their column names, numbers to the right. */
export function printTable(rows: readonly Record<string, string | number>[]): void {
  const columns = Object.keys(rows[0] ?? {})
  const cell = (row: Record<string, string | number>, column: string) => String(row[column] ?? '')
  const widths = columns.map((column) =>
    Math.max(column.length, ...rows.map((row) => cell(row, column).length)),
  )
  const line = (cells: readonly string[]) =>
    console.log(
      cells
        .map((text, i) => (i === 0 ? text.padEnd(widths[i] ?? 0) : text.padStart(widths[i] ?? 0)))
        .join('  '),
    )
  line(columns)
  line(widths.map((width) => '-'.repeat(width)))
  for (const row of rows) line(columns.map((column) => cell(row, column)))
}

/** Writes the results with what is needed to compare them: machine, Node version and commit. */
export function writeReport(name: string, results: unknown): void {
  const file = resolve(argument('json', join(root, '.bench', `${name}.json`)))
  mkdirSync(dirname(file), { recursive: true })
  const report = {
    benchmark: name,
    at: new Date().toISOString(),
    node: process.version,
    machine: { cpus: cpus().length, model: cpus()[0]?.model, memoryBytes: totalmem() },
    commit: commit(),
    results,
  }
  writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`)
  console.log(`\nJSON: ${file}`)
}

function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', 'HEAD'], { cwd: root, encoding: 'utf8' }).trim()
  } catch {
    return 'unknown'
  }
}
