import assert from 'node:assert/strict'
import type { StopOptions } from '@millrace/component'
import { watchResources } from './resources.js'
import { resolved, settled } from './settling.js'
import type { TestGlobals } from './test-globals.js'

/** A component with its start context bound. */
export interface Startable {
  readonly start: (signal: AbortSignal) => Promise<void>
  readonly stop: (options: StopOptions) => Promise<void>
  /** Closes what the test itself opened for the component. */
  readonly close: () => Promise<void>
}

const DEADLINE_MS = 1_000
/** A stop that takes its whole deadline must still be seen to be in time. */
const SLACK_MS = 500

const LIVE = new AbortController().signal

/** Stops, and fails when that takes longer than its deadline. */
export async function stopInTime(
  component: Pick<Startable, 'stop'>,
  deadlineMs = DEADLINE_MS,
): Promise<void> {
  await resolved(
    component.stop({ deadlineMs }),
    `stop({ deadlineMs: ${deadlineMs} })`,
    deadlineMs + SLACK_MS,
  )
}

const start = (component: Startable) => resolved(component.start(LIVE), 'start')

const CASES: readonly {
  readonly title: string
  readonly run: (component: Startable) => Promise<void>
}[] = [
  {
    title: 'stops before it has started, twice',
    run: async (component) => {
      await stopInTime(component)
      await stopInTime(component)
    },
  },
  {
    title: 'starts after a stop that came first',
    run: async (component) => {
      await stopInTime(component)
      await start(component)
      await stopInTime(component)
    },
  },
  {
    title: 'starts, and stops twice',
    run: async (component) => {
      await start(component)
      await stopInTime(component)
      await stopInTime(component)
    },
  },
  {
    title: 'takes two stops at the same time',
    run: async (component) => {
      await start(component)
      await Promise.all([stopInTime(component), stopInTime(component)])
    },
  },
  {
    title: 'starts again after a stop',
    run: async (component) => {
      for (let round = 0; round < 3; round += 1) {
        await start(component)
        await stopInTime(component)
      }
    },
  },
  {
    title: 'stops while it starts',
    run: async (component) => {
      const starting = settled(component.start(LIVE), 'start')
      await stopInTime(component)
      await starting
      await stopInTime(component)
    },
  },
  {
    title: 'settles a start whose signal is aborted, and stops afterwards',
    run: async (component) => {
      await settled(component.start(AbortSignal.abort()), 'start with an aborted signal')
      await stopInTime(component)
      const controller = new AbortController()
      const starting = settled(component.start(controller.signal), 'start')
      controller.abort()
      await starting
      await stopInTime(component)
      await start(component)
      await stopInTime(component)
    },
  },
  {
    title: 'stops with a deadline of 0',
    run: async (component) => {
      await start(component)
      await stopInTime(component, 0)
    },
  },
]

/** Start and stop in every order; after each of them nothing is left open. */
export function lifecycleCases(open: () => Promise<Startable>, globals: TestGlobals): void {
  for (const { title, run } of CASES) {
    globals.it(`${title}, and leaves nothing open`, async () => {
      const component = await open()
      try {
        const nothingLeft = watchResources()
        await run(component)
        await nothingLeft()
      } finally {
        await component.close()
      }
    })
  }
  globals.it('touches nothing when it is made', async () => {
    const warm = await open()
    await warm.close()
    const nothingLeft = watchResources()
    const component = await open()
    await component.close()
    await nothingLeft()
    assert.ok(component)
  })
}
