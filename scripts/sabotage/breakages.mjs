// All breakages. Each names a file and what is replaced in it, which must be there exactly once.
import { AGENT } from './agent.mjs'
import { APPENDER_CONTENT } from './appender-content.mjs'
import { APPENDER_ENGINE } from './appender-engine.mjs'
import { APPENDER_SPOOL } from './appender-spool.mjs'
import { AVRO } from './avro.mjs'
import { CHANNEL } from './channel.mjs'
import { READING } from './reading.mjs'
import { RECOVERY } from './recovery.mjs'
import { RPC_CLIENT } from './rpc-client.mjs'
import { RPC_SERVER } from './rpc-server.mjs'
import { RPC_WIRE } from './rpc-wire.mjs'
import { TOOLS } from './tools.mjs'
import { WRITING } from './writing.mjs'

export const AREAS = {
  writing: WRITING,
  reading: READING,
  recovery: RECOVERY,
  channel: CHANNEL,
  tools: TOOLS,
  'rpc-server': RPC_SERVER,
  'rpc-wire': RPC_WIRE,
  'rpc-client': RPC_CLIENT,
  agent: AGENT,
  avro: AVRO,
  'appender-engine': APPENDER_ENGINE,
  'appender-content': APPENDER_CONTENT,
  'appender-spool': APPENDER_SPOOL,
}
