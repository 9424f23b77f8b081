/** For Millrace's own tests; nothing here keeps its form between versions. */
export { collectProperty } from './arguments.js'
export { eventJson } from './receive/event-json.js'
export { EventStore, STORE_LIMITS, type StoreLimits } from './receive/event-store.js'
export { formatEvent } from './receive/event-text.js'
export { type EventView, viewEvent } from './receive/event-view.js'
export { printable, printableJson, printableLine } from './receive/printable.js'
export { nearest } from './nearest.js'
