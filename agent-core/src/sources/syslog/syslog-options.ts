/** Keys that the syslog sources share. */
import { option, type Problem } from '@millrace/component'
import { keepFieldsProblem } from './syslog-message.js'

export const eventSizeOption = option.int('eventSize', {
  description: 'Longest message; a longer one is cut, with the status Incomplete.',
  default: 2_500,
  min: 1,
})

export const peerOptions = {
  keepFields: option.list('keepFields', {
    description:
      'Parts of the head that stay in the body: none, all, or some of priority, version, timestamp, hostname.',
    default: 'none',
  }),
  clientIPHeader: option.string('clientIPHeader', {
    description: "Name of a header for the sender's address.",
  }),
  clientHostnameHeader: option.string('clientHostnameHeader', {
    description: "Name of a header for the sender's host name, looked up by its address.",
  }),
}

const LATER = 'formats of one’s own are not built yet'

/** A format of one's own, which Flume tries first. */
export const formatOptions = {
  formatRegex: option.string('format.regex', {
    description: 'Expression for the head of a message, tried before the known ones.',
    unsupported: LATER,
  }),
  formatSearch: option.string('format.search', {
    description: 'What is replaced in the time that it finds.',
    unsupported: LATER,
  }),
  formatReplace: option.string('format.replace', {
    description: 'What it is replaced by.',
    unsupported: LATER,
  }),
  formatDateFormat: option.string('format.dateFormat', {
    description: 'How that time is written.',
    unsupported: LATER,
  }),
}

export function keepFieldsProblems(words: readonly string[]): readonly Problem[] {
  const message = keepFieldsProblem(words.join(' '))
  return message === undefined ? [] : [{ key: 'keepFields', message }]
}
