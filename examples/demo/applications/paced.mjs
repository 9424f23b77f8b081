// What the three applications share: they count, write each number to a file of their own, then log it.
import { closeSync, openSync, writeSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

const [hosts, events, seconds, journal] = process.argv.slice(2)

/** The two agents, as an appender takes them. */
export const agents = hosts.split(',')

/** Logs every number once, spread over the demo's time; the file knows of each before the logger does. */
export async function logNumbers(log) {
  const file = openSync(journal, 'wx')
  const total = Number(events)
  const started = performance.now()
  for (let number = 1; number <= total; number += 1) {
    const due = started + (number / total) * Number(seconds) * 1_000
    if (due > performance.now() + 5) await sleep(due - performance.now())
    writeSync(file, `${number}\n`)
    log(number)
  }
  closeSync(file)
}

/** Tells the demo what became of the events. */
export function report(isSettled, state) {
  const dropped = Object.values(state.dropped).reduce((sum, count) => sum + count, 0)
  const { accepted, delivered, resent } = state
  process.stdout.write(`${JSON.stringify({ isSettled, accepted, delivered, resent, dropped })}\n`)
}
