/** One clear line for what keeps the receiver from starting. */
import { MillraceError, messageOf } from '@millrace/runtime'

export function explainStoreError(error: unknown, directory: string): string {
  const reason: Readonly<Record<string, string>> = {
    EACCES: 'permission denied',
    EPERM: 'permission denied',
    EROFS: 'the file system is read-only',
    ENOTDIR: 'a part of its path is a file',
    EEXIST: 'there is a file of that name',
    ENOSPC: 'the disk is full',
  }
  const why = reason[codeOf(error) ?? ''] ?? messageOf(error)
  return `events cannot be kept in ${directory}: ${why}; choose another folder with --dir`
}

/** For a failure of the receiver's agent: its channel in the folder, or its source on the port. */
export function explainStartError(
  error: unknown,
  { host, port, directory }: { host: string; port: number; directory: string },
): string {
  const cause = causeWith(error, /^MILLRACE_(LOG|STORAGE)_/)
  if (!cause) return explainListenError(error, host, port)
  if (cause.code !== 'MILLRACE_LOG_IN_USE') return explainStoreError(cause, directory)
  return `another receiver keeps its events in ${directory} (${cause.message}); choose another folder with --dir`
}

export function explainListenError(error: unknown, host: string, port: number): string {
  switch (codeOf(error)) {
    case 'EADDRINUSE':
      return `port ${port} of ${host} is in use; choose another with --port`
    case 'EACCES':
      return `port ${port} needs more rights; choose another with --port`
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `${host} is no address of this machine; choose another with --host`
    default:
      return `it cannot listen on ${host}:${port}: ${messageOf(error)}`
  }
}

/** The error of Millrace with such a code, among an error and what caused it. */
function causeWith(error: unknown, code: RegExp): MillraceError | undefined {
  let at = error
  for (let depth = 0; depth < 5 && at instanceof Error; depth += 1) {
    if (MillraceError.is(at) && code.test(at.code)) return at
    at = at.cause
  }
  return undefined
}

/** The system's error code, of the error or of what caused it. */
function codeOf(error: unknown, depth = 0): string | undefined {
  if (!(error instanceof Error) || depth > 5) return undefined
  if ('code' in error && typeof error.code === 'string' && error.code.startsWith('E'))
    return error.code
  const parts: unknown[] =
    error instanceof AggregateError ? [...error.errors, error.cause] : [error.cause]
  for (const part of parts) {
    const code = codeOf(part, depth + 1)
    if (code !== undefined) return code
  }
  return undefined
}
