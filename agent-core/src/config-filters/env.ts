/** The `env` config filter: keys are variables of the environment. */
import { defineConfigFilter } from '@millrace/component'

export const envConfigFilter = defineConfigFilter({
  alias: 'env',
  classNames: ['org.apache.flume.configfilter.EnvironmentVariableConfigFilter'],
  summary: 'Looks keys up in the environment of the process.',
  options: {},
  create: ({ environment }) => ({ filter: (key) => environment[key] }),
})
