/** What is read of a logger of pino beside its public interface. Absent where a version keeps it elsewhere. */
export interface LoggerParts {
  readonly messageKey: string | undefined
  readonly errorKey: string | undefined
  /**
   * Whether the logger writes its messages as they are logged. pino can change them by redaction, by a
   * serialiser or by a hook on the whole line; then the line alone says what may be shipped. What cannot
   * be found out counts as changed.
   */
  readonly writesPlainMessages: boolean
}

export function readLoggerParts(logger: object): LoggerParts {
  const parts = partsOf(logger)
  const messageKey = textOf(parts.get('pino.messageKey'))
  return {
    messageKey,
    errorKey: textOf(parts.get('pino.errorKey')),
    writesPlainMessages: messageKey !== undefined && writesPlainMessages(parts, messageKey),
  }
}

function writesPlainMessages(parts: ReadonlyMap<string, unknown>, messageKey: string): boolean {
  const hooks = parts.get('pino.hooks')
  const stringifiers = parts.get('pino.stringifiers')
  const serializers = parts.get('pino.serializers')
  if (!isObject(hooks) || !isObject(stringifiers) || !isObject(serializers)) return false
  return (
    'streamWrite' in hooks &&
    hooks['streamWrite'] === undefined &&
    Reflect.ownKeys(stringifiers).length === 0 &&
    serializers[messageKey] === undefined
  )
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** The logger's parts under the descriptions of their symbols, its own before those of its parents. */
function partsOf(logger: object): Map<string, unknown> {
  const parts = new Map<string, unknown>()
  for (
    let at: object | null = logger;
    at !== null;
    at = Object.getPrototypeOf(at) as object | null
  ) {
    for (const symbol of Object.getOwnPropertySymbols(at)) {
      const name = symbol.description ?? ''
      if (!parts.has(name)) parts.set(name, Reflect.get(at, symbol))
    }
  }
  return parts
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
