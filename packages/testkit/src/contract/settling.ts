import { until } from '../until.js'

/** What became of a promise. */
export type Outcome<T> =
  | { readonly status: 'resolved'; readonly value: T }
  | { readonly status: 'rejected'; readonly error: unknown }

/**
 * What the promise settles with.
 * @throws Error naming `what` when it has not settled within `ms` milliseconds.
 */
export async function settled<T>(
  promise: Promise<T>,
  what: string,
  ms = 5_000,
): Promise<Outcome<T>> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} did not settle within ${ms} ms`)), ms)
  })
  try {
    return await Promise.race([outcomeOf(promise), late])
  } finally {
    clearTimeout(timer)
  }
}

async function outcomeOf<T>(promise: Promise<T>): Promise<Outcome<T>> {
  try {
    return { status: 'resolved', value: await promise }
  } catch (error) {
    return { status: 'rejected', error }
  }
}

/** As {@link settled}, for a promise that must resolve. */
export async function resolved<T>(promise: Promise<T>, what: string, ms?: number): Promise<T> {
  const outcome = await settled(promise, what, ms)
  if (outcome.status === 'resolved') return outcome.value
  throw new Error(`${what} rejected`, { cause: outcome.error })
}

/** As {@link settled}, for a promise that must reject: gives the error. */
export async function rejected(
  promise: Promise<unknown>,
  what: string,
  ms?: number,
): Promise<unknown> {
  const outcome = await settled(promise, what, ms)
  if (outcome.status === 'rejected') return outcome.error
  throw new Error(`${what} resolved and should have rejected`)
}

/** Whether the promise is still unsettled after some turns of the event loop. */
export async function isPending(promise: Promise<unknown>): Promise<boolean> {
  let turns = 0
  const watched = outcomeOf(promise).then(() => 'settled' as const)
  const waited = until(() => ++turns > 5, { what: 'turns of the event loop' })
  return (await Promise.race([watched, waited])) !== 'settled'
}
