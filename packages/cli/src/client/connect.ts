import { AvroRpcClient, createRpcClient, type RpcClient } from '@millrace/rpc'
import { UsageError } from '../exit-code.js'
import { readPropertiesFile } from './properties-file.js'

/** Where the events go: a host and port, or a file of Flume's RPC client properties. */
export interface ClientTarget {
  readonly host?: string
  readonly port?: number
  readonly rpcProps?: string
}

/** @throws RpcError when nobody answers there; UsageError when it is not said where. */
export async function connect(target: ClientTarget): Promise<RpcClient> {
  if (target.rpcProps !== undefined)
    return createRpcClient(await readPropertiesFile(target.rpcProps))
  const { host, port } = target
  if (host === undefined || port === undefined)
    throw new UsageError('--host and --port are needed, or --rpcProps')
  const client = new AvroRpcClient({ host, port })
  await client.connect()
  return client
}
