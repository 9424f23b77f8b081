/**
 * Checks that untrusted bytes can be a datum of a schema, before a schema engine decodes them: avsc
 * reads as many items as a count claims, also far behind the end of the bytes, so that a few octets
 * would cost all memory.
 */
import { EnvelopeReader } from './avro-primitives.js'
import { AvroError } from '@millrace/runtime'
import type { Type, types } from 'avsc'

/** A schema that holds itself could be followed for ever. */
const MAX_DEPTH = 64

/** Octets of the types whose length is not in the bytes. */
const FIXED_BYTES: Readonly<Record<string, number>> = { null: 0, boolean: 1, float: 4, double: 8 }

/**
 * Walks over the datum of `type` at the beginning of `bytes`.
 * @throws AvroError when the bytes end inside it, or a count, length or branch cannot be.
 */
export function checkDatum(type: Type, bytes: Buffer): void {
  skip(type, new EnvelopeReader(bytes, 0, bytes.length), 0)
}

function skip(type: Type, reader: EnvelopeReader, depth: number): void {
  if (depth > MAX_DEPTH) {
    throw new AvroError('MILLRACE_AVRO_LIMIT', `A datum of more than ${MAX_DEPTH} levels`)
  }
  const { typeName } = type
  const fixedBytes = FIXED_BYTES[typeName]
  if (fixedBytes !== undefined) reader.readFixed(fixedBytes)
  else if (typeName === 'int' || typeName === 'long') reader.readLong()
  else if (typeName === 'string' || typeName === 'bytes') reader.readBytes()
  else if (typeName === 'fixed') reader.readFixed((type as types.FixedType).size)
  else if (typeName === 'enum') reader.readIndex((type as types.EnumType).symbols.length)
  else if (typeName === 'record') {
    for (const field of (type as types.RecordType).fields) skip(field.type, reader, depth + 1)
  } else if (typeName === 'array') {
    const { itemsType } = type as types.ArrayType
    skipBlocks(reader, () => skip(itemsType, reader, depth + 1))
  } else if (typeName === 'map') {
    const { valuesType } = type as types.MapType
    skipBlocks(reader, () => {
      reader.readBytes()
      skip(valuesType, reader, depth + 1)
    })
  } else if (typeName.startsWith('union:')) {
    const branches = (type as types.WrappedUnionType).types
    skip(branches[reader.readIndex(branches.length)] as Type, reader, depth + 1)
  } else {
    throw new AvroError('MILLRACE_AVRO_INVALID', `A ${typeName} is not read here`)
  }
}

/** Items that take no octet would make a count free of cost: an item must take one. */
function skipBlocks(reader: EnvelopeReader, skipItem: () => void): void {
  for (;;) {
    let count = reader.readLong()
    if (count === 0) return
    if (count < 0) {
      count = -count
      reader.readLong()
    }
    const start = reader.position
    if (count > reader.end - start) reader.readFixed(reader.end - start + 1)
    for (let i = 0; i < count; i += 1) skipItem()
    if (reader.position - start < count) {
      throw new AvroError(
        'MILLRACE_AVRO_LIMIT',
        `${count} items in ${reader.position - start} bytes`,
      )
    }
  }
}
