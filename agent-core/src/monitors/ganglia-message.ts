/**
 * Datagrams of Ganglia, in XDR (RFC 4506): integers of four octets, the highest first; texts by their length, filled
 * up to a multiple of four. The fields are those that Flume's GangliaServer sends.
 */
const METADATA_ID = 128
const TEXT_VALUE_ID = 133
const VALUE_OF_3_0 = 0
const SLOPE_BOTH = 3
/** Seconds after which a value that was not sent again is old. */
const TMAX_SECONDS = 60
/** 0: a metric that is not sent any more stays for ever. */
const DMAX_SECONDS = 0
const UNITS = ''

export interface GangliaMetric {
  readonly host: string
  /** As `flume.CHANNEL.c1.ChannelSize`. */
  readonly name: string
  readonly value: string
}

/** The two datagrams of Ganglia 3.1: what the metric is, and its value. */
export function gangliaMessages({ host, name, value }: GangliaMetric): readonly Buffer[] {
  const metadata = [
    METADATA_ID,
    host,
    name,
    0,
    typeOf(value),
    name,
    UNITS,
    SLOPE_BOTH,
    TMAX_SECONDS,
    DMAX_SECONDS,
    1,
    'GROUP',
    'flume',
  ]
  return [xdr(metadata), xdr([TEXT_VALUE_ID, host, name, 0, '%s', value])]
}

/** The one datagram of Ganglia 3.0. */
export function ganglia3Message({ host, name, value }: GangliaMetric): Buffer {
  const fields = [VALUE_OF_3_0, typeOf(value), `${host}.${name}`, value, UNITS]
  return xdr([...fields, SLOPE_BOTH, TMAX_SECONDS, DMAX_SECONDS])
}

/** `float` for what Java reads as a number, else `string`. */
function typeOf(value: string): 'float' | 'string' {
  return value.trim() !== '' && !Number.isNaN(Number(value)) ? 'float' : 'string'
}

function xdr(fields: readonly (number | string)[]): Buffer {
  return Buffer.concat(
    fields.flatMap((field) => (typeof field === 'number' ? [int(field)] : text(field))),
  )
}

function int(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

function text(value: string): Buffer[] {
  const bytes = Buffer.from(value)
  return [int(bytes.length), bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]
}
