import { LoadBalancingRpcClient } from '@millrace/rpc'
import { seededRandom } from '@millrace/runtime'
import { rpcClientContract } from '@millrace/testkit'

const BACKOFF_MS = 10

for (const { hostSelector, backoff } of [
  { hostSelector: 'round_robin', backoff: false },
  { hostSelector: 'random', backoff: true },
] as const) {
  rpcClientContract({
    name: `LoadBalancingRpcClient, ${hostSelector}${backoff ? ' with backoff' : ''}`,
    receivers: 2,
    maxBackoffMs: backoff ? BACKOFF_MS : 0,
    create: (receivers) =>
      new LoadBalancingRpcClient({
        hosts: receivers.map(({ host, port }) => ({ host, port })),
        hostSelector,
        backoff,
        maxBackoffMs: BACKOFF_MS,
        random: seededRandom(5),
        batchSize: 10,
        connectTimeoutMs: 150,
        requestTimeoutMs: 150,
      }),
  })
}
