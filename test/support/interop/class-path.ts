/** Class paths of real Apache Flume: they need a JDK and Maven, which are installed when missing. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { repository } from '../repository.js'

/** 1.6 and 1.9 stand for Avro 1.7 on Netty 3, 1.11 for Avro 1.11 on Netty 4. */
export type FlumeVersion = '1.6' | '1.9' | '1.11'

export const FLUME_VERSIONS: readonly FlumeVersion[] = ['1.6', '1.9', '1.11']

const programs = join(repository, 'test', 'interop', 'java')

function isThere(command: string, args: readonly string[]): boolean {
  try {
    execFileSync(command, [...args], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** Installs a JDK and Maven from the system's packages when they are missing. @throws when it can't. */
function installJava(): void {
  if (isThere('javac', ['-version']) && isThere('mvn', ['-v'])) return
  execFileSync('apt-get', ['update', '-qq'], { stdio: ['ignore', 'ignore', 'inherit'] })
  execFileSync('apt-get', ['install', '-y', '-qq', 'default-jdk-headless', 'maven'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
}

/** The jars of one version of Flume, as its pom names them, fetched once for each text of the pom. */
function jars(version: FlumeVersion): string {
  const pom = join(programs, `flume-${version}`, 'pom.xml')
  const digest = createHash('sha256').update(readFileSync(pom)).digest('hex').slice(0, 12)
  const place = join(repository, '.full', `flume-${version}-${digest}`)
  if (existsSync(place)) return place
  const unfinished = `${place}.${process.pid}`
  mkdirSync(unfinished, { recursive: true })
  execFileSync(
    'mvn',
    ['-q', '-B', '-f', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${unfinished}`],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  )
  renameSync(unfinished, place)
  return place
}

const made = new Map<FlumeVersion, string>()

/** Flume, its clients and our own programs compiled against them; 1.11 with the appenders of Log4j. */
export function flumeClassPath(version: FlumeVersion): string {
  const path = made.get(version) ?? compiled(version)
  made.set(version, path)
  return path
}

function compiled(version: FlumeVersion): string {
  installJava()
  const lib = join(jars(version), '*')
  const classes = join(repository, '.full', `classes-${version}`)
  const sources = ['peer', `flume-${version}`].flatMap((folder) =>
    readdirSync(join(programs, folder))
      .filter((name) => name.endsWith('.java'))
      .map((name) => join(programs, folder, name)),
  )
  rmSync(classes, { recursive: true, force: true })
  execFileSync('javac', ['-nowarn', '-Xlint:-options', '-cp', lib, '-d', classes, ...sources], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  return `${classes}:${lib}`
}
