/** Listening sockets of sources. */
import type { Server } from 'node:net'
import { LifecycleError, messageOf, throwIfAborted } from '@millrace/runtime'

/**
 * Binds and listens.
 * @throws LifecycleError when the address is in use, unknown or not allowed.
 */
export async function listenOn(
  server: Server,
  address: { readonly bind: string | undefined; readonly port: number },
  signal: AbortSignal,
): Promise<void> {
  throwIfAborted(signal)
  const { bind, port } = address
  await new Promise<void>((resolve, reject) => {
    const onError = (cause: Error) => reject(cannotListen(address, cause))
    server.once('error', onError)
    server.listen(bind === undefined ? { port } : { host: bind, port }, () => {
      server.off('error', onError)
      resolve()
    })
  })
  if (signal.aborted) await closeServer(server)
  throwIfAborted(signal)
}

function cannotListen(
  address: { readonly bind: string | undefined; readonly port: number },
  cause: unknown,
): LifecycleError {
  const message = `Cannot listen on ${address.bind ?? '*'}:${address.port}: ${messageOf(cause)}`
  return new LifecycleError('MILLRACE_LIFECYCLE_START_FAILED', message, { cause })
}

/** Takes no more connections; resolves when all are gone. */
export function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
  })
}
