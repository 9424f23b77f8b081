import { channelContract } from '@millrace/testkit'
import definition from './channel.js'

channelContract({ definition })
