/** What of a running graph another configuration leaves as it is. */
import { isDeepStrictEqual } from 'node:util'
import type {
  ChannelConfiguration,
  ComponentConfiguration,
  SinkConfiguration,
  SinkGroupConfiguration,
  SourceConfiguration,
} from '../configuration/agent-configuration.js'
import type { ChannelNode } from './graph.js'

/** Whether two configurations make the same component. Where they stand in a file does not count. */
export function isSameComponent(
  a: ComponentConfiguration | undefined,
  b: ComponentConfiguration | undefined,
): boolean {
  if (a === undefined || b === undefined) return a === b
  return (
    a.name === b.name && a.definition === b.definition && isDeepStrictEqual(a.options, b.options)
  )
}

/** Whether a running channel can go on under another configuration. */
export function canStay({ configuration, channel }: ChannelNode, next: ChannelConfiguration) {
  if (isSameComponent(configuration, next)) return true
  if (configuration.definition !== next.definition || !channel.reconfigure) return false
  return channel.canReconfigure?.(next.options) !== false
}

/** Whether the source itself is the same, wherever its events go. */
export function isSameSource(a: SourceConfiguration, b: SourceConfiguration): boolean {
  return isSameComponent(a, b) && isSameComponent(a.named, b.named)
}

/** Whether events take the same way from the source to channels of the same names. */
export function isSamePath(a: SourceConfiguration, b: SourceConfiguration): boolean {
  return (
    isDeepStrictEqual(a.channels, b.channels) &&
    isSameComponent(a.selector, b.selector) &&
    a.interceptors.length === b.interceptors.length &&
    a.interceptors.every((each, index) => isSameComponent(each, b.interceptors[index]))
  )
}

export function isSameSink(a: SinkConfiguration, b: SinkConfiguration): boolean {
  return (
    isSameComponent(a, b) &&
    isSameComponent(a.serializer, b.serializer) &&
    a.channel === b.channel &&
    a.deadLetterChannel === b.deadLetterChannel
  )
}

export function isSameGroup(a: SinkGroupConfiguration, b: SinkGroupConfiguration): boolean {
  return (
    a.name === b.name &&
    isDeepStrictEqual(a.sinks, b.sinks) &&
    isSameComponent(a.processor, b.processor)
  )
}
