import { headerEntry } from './header-block.js'
import type { HeaderTemplates } from './header-template.js'

/** Most schemas whose header is kept encoded. */
const MAX_SCHEMAS = 64

/** The headers of events whose body is a datum of Avro. */
export class AvroHeaders {
  readonly templates: HeaderTemplates
  readonly #entries = new Map<string, Buffer>()

  constructor(templates: HeaderTemplates) {
    this.templates = templates
  }

  /** The header that says where the schema is, encoded: its address, else the schema itself. */
  schemaEntry(from: {
    readonly schema: string | undefined
    readonly url: string | undefined
  }): Buffer | undefined {
    const [header, value] =
      from.url === undefined
        ? ['flume.avro.schema.literal', from.schema]
        : ['flume.avro.schema.url', from.url]
    const name = this.templates.name(header)
    if (name === undefined || value === undefined) return undefined
    const known = this.#entries.get(value)
    if (known !== undefined) return known
    const entry = headerEntry(name, value)
    if (this.#entries.size >= MAX_SCHEMAS) this.#entries.clear()
    this.#entries.set(value, entry)
    return entry
  }
}
