import { join } from 'node:path'
import { fileChannel } from '@millrace/agent-core/internal/channels/file'
import { channelContract } from '@millrace/testkit'
import { temporaryDirectory } from '../../support/temp-directory.js'

channelContract({
  definition: fileChannel,
  isDurable: true,
  open: async () => {
    const directory = temporaryDirectory()
    return {
      settings: {
        checkpointDir: join(directory, 'checkpoint'),
        dataDirs: `${join(directory, 'a')},${join(directory, 'b')}`,
        minimumRequiredSpace: '1048576',
        segmentSize: '65536',
      },
    }
  },
})
