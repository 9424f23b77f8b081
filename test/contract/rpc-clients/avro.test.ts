import { AvroRpcClient } from '@millrace/rpc'
import { rpcClientContract } from '@millrace/testkit'

rpcClientContract({
  name: 'AvroRpcClient',
  receivers: 1,
  create: (receivers) => {
    const { host = '', port = 0 } = receivers[0] ?? {}
    return new AvroRpcClient({
      host,
      port,
      batchSize: 10,
      connectTimeoutMs: 150,
      requestTimeoutMs: 150,
    })
  },
})
