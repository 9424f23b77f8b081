import { option } from '@millrace/component'

/** Keys of the monitors that listen. */
export const httpMonitorOptions = {
  port: option.int('port', {
    description: 'TCP port to listen on; 0 takes any free one, which the log names.',
    default: 41_414,
    min: 0,
    max: 65_535,
  }),
  host: option.string('host', {
    description: 'Address to listen on, for example `127.0.0.1`. Default all of the machine.',
  }),
}
