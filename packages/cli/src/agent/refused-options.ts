/** Options of `flume-ng agent` that this command does not have, and why; each is refused by name. */
import { UsageError } from '../exit-code.js'

const NO_ZOOKEEPER = 'configurations in ZooKeeper are not supported; use --conf-file'
const NO_URI = 'configurations from a URI are not supported; use --conf-file'
const NO_JVM = 'there is no Java virtual machine here'

const REFUSED: ReadonlyMap<string, string> = new Map([
  ['--zkConnString', NO_ZOOKEEPER],
  ['-z', NO_ZOOKEEPER],
  ['--zkBasePath', NO_ZOOKEEPER],
  ['-p', NO_ZOOKEEPER],
  ['--conf-uri', NO_URI],
  ['-u', NO_URI],
  ['--auth-provider', NO_URI],
  ['-a', NO_URI],
  ['--conf-user', NO_URI],
  ['-user', NO_URI],
  ['--conf-password', NO_URI],
  ['-pwd', NO_URI],
  ['--conf-provider', 'configuration providers are Java classes; use --conf-file'],
  ['-prov', 'configuration providers are Java classes; use --conf-file'],
  ['--backup-directory', 'copies of the configuration are not kept'],
  ['-b', 'copies of the configuration are not kept'],
  ['--classpath', `${NO_JVM}; components are npm packages named in the configuration`],
  ['-C', `${NO_JVM}; components are npm packages named in the configuration`],
  ['--plugins-path', `${NO_JVM}; components are npm packages named in the configuration`],
  ['--dryrun', 'use “millrace check”'],
  ['-d', 'use “millrace check”'],
])

/** Prefixes of options of the Java virtual machine. */
const JVM_PREFIXES = ['-X', '-agentlib', '-agentpath', '-javaagent']

/** @throws UsageError naming the first option that Flume has and Millrace does not. */
export function refuseFlumeOptions(args: readonly string[]): void {
  for (const arg of args) {
    const name = arg.split('=')[0] ?? arg
    const reason =
      REFUSED.get(name) ?? (JVM_PREFIXES.some((prefix) => arg.startsWith(prefix)) ? NO_JVM : '')
    if (reason !== '') throw new UsageError(`${name}: ${reason}`)
  }
}
