// All breakages. Each names a file and what is replaced in it, which must be there exactly once.
import { CHANNEL } from './channel.mjs'
import { READING } from './reading.mjs'
import { RECOVERY } from './recovery.mjs'
import { TOOLS } from './tools.mjs'
import { WRITING } from './writing.mjs'

export const AREAS = {
  writing: WRITING,
  reading: READING,
  recovery: RECOVERY,
  channel: CHANNEL,
  tools: TOOLS,
}
