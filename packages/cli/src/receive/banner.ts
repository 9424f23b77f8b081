/** What `millrace receive` says when it listens. */
export function banner(options: { host: string; port: number; directory: string }): string {
  const { host, port, directory } = options
  const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
  const hosts = `hosts: ['${address}']`
  return `Listening on ${address} (Flume's Avro RPC). Events are kept in ${directory}
Point a logger here:
  winston  createLogger({ transports: [new MillraceTransport({ ${hosts} })] })
           with MillraceTransport of @millrace/winston
  log4js   configure({ appenders: { millrace: { type: '@millrace/log4js', ${hosts} } }, … })
  pino     pino({ transport: { target: '@millrace/pino', options: { ${hosts} } } })
Ctrl-C shows what is still on its way and ends; a second one ends at once.
`
}
