/** The second segments of keys under which components stand. */
export const FAMILIES = ['sources', 'channels', 'sinks', 'sinkgroups', 'configfilters'] as const
export type Family = (typeof FAMILIES)[number]

/** Key of the agent itself: the dead-letter channel of all its sinks. */
export const DEAD_LETTER_CHANNEL = 'deadLetterChannel'
