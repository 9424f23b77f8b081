/** Options of `flume-ng agent` that this command does not have, and why; each is refused by name. */
import { UsageError } from '../exit-code.js'

const NO_ZOOKEEPER = 'configurations in ZooKeeper are not supported; use --conf-file'
const NO_JVM = 'there is no Java virtual machine here'

const REFUSED: ReadonlyMap<string, string> = new Map([
  ['--zkConnString', NO_ZOOKEEPER],
  ['-z', NO_ZOOKEEPER],
  ['--zkBasePath', NO_ZOOKEEPER],
  ['-p', NO_ZOOKEEPER],
  ['--auth-provider', 'basic authentication is built in; use --conf-user and --conf-password'],
  ['-a', 'basic authentication is built in; use --conf-user and --conf-password'],
  ['--conf-provider', 'configuration providers are Java classes; use --conf-file'],
  ['-prov', 'configuration providers are Java classes; use --conf-file'],
  ['--classpath', `${NO_JVM}; components are npm packages named in the configuration`],
  ['-C', `${NO_JVM}; components are npm packages named in the configuration`],
  ['--plugins-path', `${NO_JVM}; components are npm packages named in the configuration`],
  ['--dryrun', 'use “millrace check”'],
  ['-d', 'use “millrace check”'],
])

/** Prefixes of options of the Java virtual machine. */
const JVM_PREFIXES = ['-X', '-agentlib', '-agentpath', '-javaagent']

/** Flume's one-dash words, which would be read as several options. */
const PLAIN: ReadonlyMap<string, string> = new Map([
  ['-user', '--conf-user'],
  ['-pwd', '--conf-password'],
])

export function plainFlumeOptions(args: readonly string[]): string[] {
  return args.map((arg) => PLAIN.get(arg) ?? arg)
}

/** @throws UsageError naming the first option that Flume has and Millrace does not. */
export function refuseFlumeOptions(args: readonly string[]): void {
  for (const arg of args) {
    const name = arg.split('=')[0] ?? arg
    const reason =
      REFUSED.get(name) ?? (JVM_PREFIXES.some((prefix) => arg.startsWith(prefix)) ? NO_JVM : '')
    if (reason !== '') throw new UsageError(`${name}: ${reason}`)
  }
}
