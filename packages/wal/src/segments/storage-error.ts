import { messageOf, MillraceError, StorageError } from '@millrace/runtime'

const NO_SPACE = new Set(['ENOSPC', 'EDQUOT'])

/** An error of the disk as a coded one; a coded one stays as it is. */
export function storageError(what: string, error: unknown): MillraceError {
  if (MillraceError.is(error)) return error
  const code = String((error as NodeJS.ErrnoException | undefined)?.code)
  return new StorageError(
    NO_SPACE.has(code) ? 'MILLRACE_STORAGE_NO_SPACE' : 'MILLRACE_STORAGE_IO',
    `${what}: ${messageOf(error)}`,
    { cause: error },
  )
}
