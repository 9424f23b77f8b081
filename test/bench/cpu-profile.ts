/** Where the time of the main thread goes, from the profiles that Node writes with `--cpu-prof`. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './peers.js'

interface Profile {
  readonly nodes: readonly {
    readonly id: number
    readonly callFrame: { functionName: string; url: string; lineNumber: number }
  }[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

export interface ProfileLine {
  readonly where: string
  /** Of the time in which the thread was not idle, in percent, without what the function calls. */
  readonly percent: number
}

/** The functions of the newest profile in a directory that took most time themselves. */
export function hottest(directory: string, count: number): ProfileLine[] {
  const file = readdirSync(directory)
    .filter((name) => name.endsWith('.cpuprofile'))
    .toSorted()
    .at(-1)
  if (file === undefined) throw new Error(`no profile in ${directory}`)
  const profile = JSON.parse(readFileSync(join(directory, file), 'utf8')) as Profile
  const names = new Map(
    profile.nodes.map(({ id, callFrame: { functionName, url, lineNumber } }) => {
      const place = url.replace(`file://${root}/`, '')
      return [
        id,
        `${functionName || '(anonymous)'} ${place}${place && `:${lineNumber + 1}`}`.trim(),
      ]
    }),
  )
  const times = new Map<string, number>()
  let busy = 0
  profile.samples.forEach((id, i) => {
    const name = names.get(id) ?? ''
    if (name === '(idle)') return
    const time = Math.max(0, profile.timeDeltas[i] ?? 0)
    busy += time
    times.set(name, (times.get(name) ?? 0) + time)
  })
  return [...times]
    .map(([where, time]) => ({ where, percent: (time / busy) * 100 }))
    .toSorted((a, b) => b.percent - a.percent)
    .slice(0, count)
}
