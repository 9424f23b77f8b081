import { totalmem } from 'node:os'

/** What a server takes from its peers at most. Every limit closes or pauses one connection, never the server. */
export interface ServerLimits {
  /** Most octets of one message; more closes the connection. Default 128 MiB. */
  readonly maxFrameBytes: number
  /** Most buffers of one frame; more closes the connection. Default 262,144. */
  readonly maxBuffersPerFrame: number
  /**
   * Octets of unfinished frames and unanswered calls over all connections; while there are more, no
   * connection is read. Default: an eighth of the memory the process may use, 64 MiB to 1 GiB.
   */
  readonly maxPendingBytes: number
  /** Octets of unanswered calls of one connection; while there are more, it is not read. Default 16 MiB. */
  readonly maxPendingBytesPerConnection: number
  /** Connections at one time; one more is closed right after accept. Default 16,384. */
  readonly maxConnections: number
  /** From the first octet of a TLS or Avro handshake to its end, in milliseconds. Default 30,000. */
  readonly handshakeTimeoutMs: number
  /** From the first octet of a frame to its end, in milliseconds, pauses of ours not counted. Default 120,000. */
  readonly frameTimeoutMs: number
}

const MIB = 1_048_576

/** The defaults, with what the caller sets over them. */
export function serverLimits(limits: Partial<ServerLimits> = {}): ServerLimits {
  return {
    maxFrameBytes: 128 * MIB,
    maxBuffersPerFrame: 262_144,
    maxPendingBytes: defaultPendingBytes(),
    maxPendingBytesPerConnection: 16 * MIB,
    maxConnections: 16_384,
    handshakeTimeoutMs: 30_000,
    frameTimeoutMs: 120_000,
    ...limits,
  }
}

function defaultPendingBytes(): number {
  // Zero, or beyond any machine: there is no limit on the control group.
  const constrained = process.constrainedMemory()
  const usable = constrained > 0 ? Math.min(constrained, totalmem()) : totalmem()
  return Math.min(Math.max(Math.floor(usable / 8), 64 * MIB), 1_024 * MIB)
}
