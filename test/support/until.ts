export { until, type UntilOptions } from '@millrace/testkit'
