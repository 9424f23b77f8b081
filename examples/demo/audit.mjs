// Compares what the applications wrote down with what the agents stored. It reads only those files.
import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'

/**
 * Per application: the numbers it wrote down before logging them, how many of these are stored, how
 * many are stored more than once, and how many are stored nowhere.
 */
export function audit(directory) {
  const copies = countStored(join(directory, 'stored'))
  return readdirSync(join(directory, 'journals'))
    .sort()
    .map((file) => {
      const application = basename(file, '.numbers')
      const numbers = linesOf(join(directory, 'journals', file))
      const found = numbers.map((number) => copies.get(`${application} ${number}`) ?? 0)
      return {
        application,
        written: numbers.length,
        stored: found.filter((count) => count > 0).length,
        doubled: found.filter((count) => count > 1).length,
        lost: found.filter((count) => count === 0).length,
      }
    })
}

function countStored(directory) {
  const copies = new Map()
  for (const agent of readdirSync(directory)) {
    for (const file of readdirSync(join(directory, agent))) {
      for (const line of linesOf(join(directory, agent, file)))
        copies.set(line, (copies.get(line) ?? 0) + 1)
    }
  }
  return copies
}

function linesOf(file) {
  // What stands behind the last line feed was cut short by a crash: it is no line.
  return readFileSync(file, 'utf8').split('\n').slice(0, -1)
}
