/**
 * Every error code of Millrace with the sentence that its reference page shows. A code keeps its
 * meaning between major versions; messages may change.
 */
export const ERROR_CODES = {
  MILLRACE_CONFIG_UNKNOWN_PROPERTY: 'A key that the component does not know.',
  MILLRACE_CONFIG_UNKNOWN_TYPE: 'A type that is neither an alias nor a module that can be loaded.',
  MILLRACE_CONFIG_UNKNOWN_NAME: 'A name that no list of the configuration holds.',
  MILLRACE_CONFIG_MISSING: 'A required key, list or wiring is absent.',
  MILLRACE_CONFIG_INVALID: 'A value that the key does not take.',
  MILLRACE_CONFIG_UNSUPPORTED: 'A documented value that this version refuses by name.',
  MILLRACE_CONFIG_DUPLICATE: 'A key that stands more than once; the last value counts.',
  MILLRACE_CONFIG_UNUSED: 'Settings of a component that no list names, or a channel nobody uses.',
  MILLRACE_CONFIG_NO_EFFECT: 'A key that is accepted and has no effect here.',
  MILLRACE_CONFIG_ADJUSTED: 'A value that was replaced by the documented fallback.',
  MILLRACE_CONFIG_UNREADABLE: 'A configuration file that cannot be read.',
  MILLRACE_LIFECYCLE_STATE: 'The call does not fit the state of the object.',
  MILLRACE_LIFECYCLE_START_FAILED: 'A component could not start.',
  MILLRACE_LIFECYCLE_STOP_DEADLINE: 'A component did not stop within its deadline.',
  MILLRACE_CHANNEL_FULL: 'The channel has no room for the batch; it may be repeated.',
  MILLRACE_CHANNEL_CLOSED: 'The channel is not open.',
  MILLRACE_CHANNEL_TRANSACTION_TOO_LARGE: 'The batch exceeds the transaction capacity.',
  MILLRACE_TRANSACTION_STATE: 'A transaction was used after its end.',
  MILLRACE_STORAGE_NO_SPACE: 'The disk is full.',
  MILLRACE_STORAGE_IO: 'The disk or file system failed.',
  MILLRACE_RPC_CONNECT: 'No connection could be made.',
  MILLRACE_RPC_HANDSHAKE: 'The peer did not complete the Avro handshake.',
  MILLRACE_RPC_TIMEOUT: 'The call reached its time limit; its outcome is unknown.',
  MILLRACE_RPC_CLOSED: 'The connection is closed.',
  MILLRACE_RPC_PROTOCOL: 'The peer broke the protocol.',
  MILLRACE_RPC_FRAME_TOO_LARGE: 'A frame exceeds the limit.',
  MILLRACE_RPC_REMOTE_FAILED: 'The peer answered FAILED or with an error.',
  MILLRACE_RPC_NO_HOST: 'No host is available.',
  MILLRACE_DELIVERY_FAILED: 'A sink could not store the batch.',
  MILLRACE_DELIVERY_REJECTED: 'The destination refuses these events for good.',
  MILLRACE_AVRO_TRUNCATED: 'Avro bytes end inside a datum.',
  MILLRACE_AVRO_INVALID: 'Bytes that are not the expected Avro datum.',
  MILLRACE_AVRO_LIMIT: 'An Avro datum exceeds a limit.',
  MILLRACE_OPTION_INVALID: 'An option of an appender or client that is not valid.',
  MILLRACE_ABORTED: 'The caller gave up.',
} as const satisfies Record<`MILLRACE_${string}`, string>

export type ErrorCode = keyof typeof ERROR_CODES
