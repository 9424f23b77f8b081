import assert from 'node:assert/strict'
import { IpFilter } from '@millrace/agent-core/internal/sources/ip-filter'

const host = {
  namesOf: async (address: string) => (address === '10.0.0.7' ? ['seven.example.org'] : []),
  localAddresses: () => ['10.0.0.1', '::1'],
}

async function verdicts(rules: string, ...addresses: string[]): Promise<boolean[]> {
  const filter = new IpFilter(rules.split(','), host)
  return Promise.all(addresses.map((address) => filter.accepts(address)))
}

describe('ipFilterRules', () => {
  it('let the first rule that matches decide', async () => {
    assert.deepEqual(await verdicts('allow:ip:127.*,deny:ip:*', '127.0.0.1', '10.0.0.2'), [
      true,
      false,
    ])
    assert.deepEqual(await verdicts('deny:ip:*,allow:ip:127.*', '127.0.0.1'), [false])
  })

  it('accept a peer that no rule matches', async () => {
    assert.deepEqual(await verdicts('deny:ip:10.*', '192.168.0.1'), [true])
  })

  it('take * as any run, ? as one character, and all else as it is', async () => {
    const addresses = ['10.0.0.1', '10.0.0.12', '10a0b0c1', '110.0.0.1']
    assert.deepEqual(await verdicts('deny:ip:10.0.0.?', ...addresses), [false, true, true, true])
    assert.deepEqual(await verdicts('deny:ip:*.1', ...addresses), [false, true, true, false])
  })

  it('match names by reverse lookup, and the address where there is no name', async () => {
    assert.deepEqual(await verdicts('deny:name:*.example.org', '10.0.0.7', '10.0.0.8'), [
      false,
      true,
    ])
    assert.deepEqual(await verdicts('deny:name:10.*', '10.0.0.7', '10.0.0.8'), [true, false])
  })

  it('look no name up before a rule on names is reached', async () => {
    const filter = new IpFilter(['allow:ip:10.*', 'deny:name:*'], {
      ...host,
      namesOf: () => assert.fail('looked up'),
    })
    assert.equal(await filter.accepts('10.0.0.9'), true)
  })

  it('take name:localhost as an address of this machine', async () => {
    const addresses = ['127.0.0.5', '10.0.0.1', '::1', '10.0.0.7', '::ffff:127.0.0.1']
    assert.deepEqual(await verdicts('deny:name:localhost', ...addresses), [
      false,
      false,
      false,
      true,
      false,
    ])
  })

  it('match IPv6 addresses written short or as Java writes them, and mapped ones as IPv4', async () => {
    assert.deepEqual(await verdicts('deny:ip:0:0:0:0:0:0:0:1', '::1', '::2'), [false, true])
    assert.deepEqual(await verdicts('deny:ip:fe80:*', 'fe80::1%eth0'), [false])
    assert.deepEqual(await verdicts('deny:ip:10.0.0.7', '::ffff:10.0.0.7'), [false])
  })

  it('are refused when they cannot be read', () => {
    for (const rule of ['allow', 'Allow:ip:*', 'deny:host:*', 'deny:ip:', 'deny-ip-*']) {
      assert.throws(() => new IpFilter([rule], host), { code: 'MILLRACE_CONFIG_INVALID' })
    }
  })
})
