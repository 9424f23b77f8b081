import assert from 'node:assert/strict'
import { Place, type Runner, type Settings } from '../../support/interop/place.js'
import { handshake, frame } from '../../support/rpc/golden.js'
import { RawPeer } from '../../support/rpc/raw-peer.js'

/** Rules, and whether 127.0.0.1 comes in over an IPv4 socket, and ::1 over one of IPv6. */
const RULES: Readonly<Record<string, { rules: string; v4: boolean; v6: boolean }>> = {
  first: { rules: 'allow:ip:127.*,deny:ip:*', v4: true, v6: false },
  order: { rules: 'deny:ip:*,allow:ip:127.*', v4: false, v6: false },
  none: { rules: 'deny:ip:10.*', v4: true, v6: true },
  whole: { rules: 'deny:ip:127.0.0', v4: true, v6: true },
  one: { rules: 'deny:ip:127.0.0.?', v4: false, v6: true },
  two: { rules: 'deny:ip:127.0.0.??', v4: true, v6: true },
  dot: { rules: 'deny:ip:127?0?0?1', v4: false, v6: true },
  local: { rules: 'allow:name:localhost,deny:ip:127.*', v4: true, v6: true },
  full: { rules: 'deny:ip:0:0:0:0:0:0:0:1', v4: true, v6: false },
  pattern: { rules: 'deny:ip:0:*:1', v4: true, v6: false },
}
const RUNNERS: readonly Runner[] = ['Millrace', '1.11']
const PING = frame(1, handshake(), '00 00')

/** Whether the source answers; one that filters closes without a word. */
async function comesIn(host: string, port: number): Promise<boolean> {
  const peer = await RawPeer.connect(port, host)
  try {
    peer.write(PING)
    return (await peer.read(1)).length === 1
  } finally {
    peer.destroy()
  }
}

describe('ipFilterRules of Millrace and of Flume 1.11', function () {
  this.timeout(60_000)
  const sourcesAt = (bind: string): Record<string, Settings> =>
    Object.fromEntries(
      Object.entries(RULES).map(([name, { rules }]) => [
        name,
        { bind, ipFilter: 'true', ipFilterRules: rules },
      ]),
    )

  for (const [host, kind] of [
    ['127.0.0.1', 'v4'],
    ['::1', 'v6'],
  ] as const) {
    it(`let the same peers in from ${host}`, async () => {
      const expected = Object.entries(RULES).map(([name, rule]) => [name, rule[kind]])
      for (const runner of RUNNERS) {
        const place = await Place.make({ sources: sourcesAt(host), host })
        const agent = await place.runProcess(runner)
        try {
          const verdicts: [string, boolean][] = []
          for (const name of Object.keys(RULES))
            verdicts.push([name, await comesIn(host, place.port(name))])
          assert.deepEqual(verdicts, expected, runner)
        } finally {
          await agent.kill()
        }
      }
    })
  }
})
