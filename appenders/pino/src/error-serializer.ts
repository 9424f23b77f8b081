import { errorJson } from '@millrace/appender'

/**
 * A serialiser for pino's `serializers` that keeps what a worker could not find again in pino's own form: causes and
 * the errors of an AggregateError as objects, codes, and own properties, within limits.
 *
 *     { type, message, stack, code?, cause?, errors?, props? }
 *
 * Never throws; what is no error is left as it is.
 */
export function errorSerializer(error: unknown): unknown {
  return error instanceof Error ? JSON.parse(errorJson(error)) : error
}
