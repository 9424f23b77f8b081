import { FailoverRpcClient } from '@millrace/rpc'
import { rpcClientContract } from '@millrace/testkit'

rpcClientContract({
  name: 'FailoverRpcClient',
  receivers: 2,
  create: (receivers) =>
    new FailoverRpcClient({
      hosts: receivers.map(({ host, port }) => ({ host, port })),
      batchSize: 10,
      connectTimeoutMs: 150,
      requestTimeoutMs: 150,
    }),
})
