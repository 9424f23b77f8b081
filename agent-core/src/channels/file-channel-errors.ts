/** What a file channel answers when it does not take a batch: always with the limit that was met. */
import { ChannelError, MillraceError, StorageError } from '@millrace/runtime'
import type { FileChannelOptions } from './file.js'
import type { Size } from './put-side.js'

const componentOf = (name: string): string => `channel ${name}`

export function closedError(name: string): ChannelError {
  return new ChannelError('MILLRACE_CHANNEL_CLOSED', 'The channel is not open', {
    component: componentOf(name),
  })
}

export function tooLargeError(
  name: string,
  { events, bytes }: Size,
  { transactionCapacity, byteCapacity = Number.POSITIVE_INFINITY }: FileChannelOptions,
): ChannelError {
  const limit =
    events > transactionCapacity
      ? `more than transactionCapacity (${transactionCapacity} events)`
      : bytes > byteCapacity
        ? `more than byteCapacity (${byteCapacity} bytes)`
        : 'more than a batch may have'
  const message = `A batch of ${events} events (${bytes} bytes) is ${limit}`
  return new ChannelError('MILLRACE_CHANNEL_TRANSACTION_TOO_LARGE', message, {
    component: componentOf(name),
  })
}

/** No room within the channel's own limits. */
export function fullError(
  name: string,
  { wanted, held }: { readonly wanted: Size; readonly held: Size },
  { capacity, byteCapacity }: FileChannelOptions,
): ChannelError {
  const limit =
    held.events + wanted.events > capacity
      ? `${held.events} of capacity = ${capacity} events are taken`
      : byteCapacity === undefined
        ? 'the log took no events a moment ago'
        : `${held.bytes} of byteCapacity = ${byteCapacity} bytes are taken`
  const message = `No room for ${wanted.events} events (${wanted.bytes} bytes): ${limit}`
  return new ChannelError('MILLRACE_CHANNEL_FULL', message, { component: componentOf(name) })
}

/** Why a batch was not stored, from what the log says. Worth a retry where the disk may heal. */
export function putError(
  name: string,
  cause: unknown,
  { dataDirs, minimumRequiredSpace }: FileChannelOptions,
): MillraceError {
  const details = { component: componentOf(name), cause }
  if (!MillraceError.is(cause)) {
    return new StorageError('MILLRACE_STORAGE_IO', 'The log failed', details)
  }
  switch (cause.code) {
    case 'MILLRACE_STORAGE_NO_SPACE': {
      const message = `No room on the disk of ${dataDirs.join(', ')}, of which minimumRequiredSpace = ${minimumRequiredSpace} bytes stay free: ${cause.message}`
      return new ChannelError('MILLRACE_CHANNEL_FULL', message, details)
    }
    case 'MILLRACE_LOG_TOO_LARGE': {
      const message = `${cause.message}; segmentSize and maxFileSize say how large one is`
      return new ChannelError('MILLRACE_CHANNEL_TRANSACTION_TOO_LARGE', message, details)
    }
    case 'MILLRACE_LOG_CLOSED':
    case 'MILLRACE_LOG_FENCED':
      return new ChannelError('MILLRACE_CHANNEL_CLOSED', cause.message, details)
    default:
      return cause
  }
}

/** Whether the log will not work again before it is opened anew. */
export function isLogGone(error: unknown): boolean {
  return MillraceError.is(error) && error.code === 'MILLRACE_LOG_FENCED'
}
