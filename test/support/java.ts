/** Java programs that stand in for Flume's world: they need a JDK and Maven, which are installed when missing. */
import { execFile, execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { repository } from './repository.js'

const run = promisify(execFile)
const programs = join(repository, 'test', 'java', 'flume')

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

/** The class path of Flume 1.11, its clients and its Log4j 1 appender, with our own programs compiled. */
export function flumeClassPath(): string {
  installJava()
  const place = join(repository, '.full', 'flume')
  const lib = join(place, 'lib')
  if (!existsSync(lib)) {
    mkdirSync(place, { recursive: true })
    execFileSync(
      'mvn',
      [
        '-q',
        '-B',
        '-f',
        join(programs, 'pom.xml'),
        'dependency:copy-dependencies',
        `-DoutputDirectory=${lib}`,
      ],
      { stdio: ['ignore', 'ignore', 'inherit'] },
    )
  }
  const classes = join(place, 'classes')
  const sources = ['SendEvents.java', 'LogWithLog4j1.java'].map((file) => join(programs, file))
  execFileSync('javac', ['-nowarn', '-cp', join(lib, '*'), '-d', classes, ...sources])
  return `${classes}:${join(lib, '*')}`
}

/** Runs one of our Java programs to its end and gives what it printed. */
export async function runJava(
  classPath: string,
  main: string,
  args: readonly string[],
): Promise<string> {
  const { stdout } = await run('java', ['-Xmx256m', '-cp', classPath, main, ...args])
  return stdout.trim()
}

/** Starts a real Flume agent named a1. End it by its pid. */
export function startFlumeAgent(classPath: string, file: string): ChildProcess {
  return spawn(
    'java',
    [
      '-Xmx512m',
      '-cp',
      classPath,
      'org.apache.flume.node.Application',
      '-n',
      'a1',
      '-f',
      file,
      '--no-reload-conf',
    ],
    { stdio: 'ignore' },
  )
}
