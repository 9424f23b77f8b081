export {
  AVRO,
  avro,
  AvroBody,
  type AvroBodyOptions,
  type AvroData,
  avroList,
  avroOf,
  avroOfJson,
  avroRecords,
  type AvroWriter,
} from './avro-body.js'
export { MAX_CONTEXT_HEADERS, MISSING_CONTEXT_HEADER } from './context-headers.js'
export { errorJson, errorType, isErrorLike, MAX_ERROR_LENGTH, stackText } from './error-document.js'
export { EventIds } from './event-ids.js'
export {
  createEventMapper,
  ENCODE_ERROR_HEADER,
  type MapperCounters,
  type MapperEnvironment,
  type RecordMapper,
} from './event-mapper.js'
export { JSON_BODY_VERSION } from './json-body.js'
export { isError, readProperty } from './json-value.js'
export { canonicalLevel, LevelNames, levelOfPinoNumber } from './levels.js'
export {
  BODY_MODES,
  type BodyMode,
  bodyModeOf,
  type ContextOptions,
  type MapperSettings,
  type MappingOptions,
  mappingOptions,
  MAX_FIXED_HEADERS,
  MAX_HEADER_NAME_BYTES,
  MAX_HEADER_VALUE_BYTES,
  PROFILES,
  type Profile,
} from './mapping-options.js'
export type { ProcessIdentity } from './process-identity.js'
export { traceparentOf } from './trace-context.js'
