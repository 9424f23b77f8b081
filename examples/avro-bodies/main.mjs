// Records of an Avro schema as bodies, with the schema in a header: Flume's HDFS sink writes them into Avro files as they
// are. Run: MILLRACE_HOSTS=127.0.0.1:41414 node main.mjs
import { avro, avroList, createDestination, optionsFromEnvironment } from '@millrace/pino'
import avsc from 'avsc'
import { pino } from 'pino'

const reading = avsc.Type.forSchema({
  type: 'record',
  name: 'Reading',
  namespace: 'plant',
  fields: [
    { name: 'sensor', type: 'string' },
    { name: 'value', type: 'double' },
  ],
})
const destination = createDestination({ hosts: '127.0.0.1:41414', ...optionsFromEnvironment() })
const logger = pino({ name: 'readings' }, destination)

logger.info(avro(reading, { sensor: 'tank-1', value: 0.91 }))
logger.info(
  avroList(reading, [
    { sensor: 'tank-2', value: 0.4 },
    { sensor: 'tank-3', value: 0.7 },
  ]),
)
await destination.close()
