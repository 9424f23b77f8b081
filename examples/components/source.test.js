import { sourceContract } from '@millrace/testkit'
import definition from './source.js'

sourceContract({
  definition,
  open: () => ({ settings: {} }),
  counts: ['eventAcceptedCount'],
  tellsRefusal: false,
})
