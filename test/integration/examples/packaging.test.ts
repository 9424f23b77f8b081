import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { runHere, startMillrace } from '../../support/command.js'
import { freePort } from '../../support/free-port.js'
import { repository } from '../../support/repository.js'
import { temporaryDirectory } from '../../support/temp-directory.js'

const folder = join(repository, 'examples', 'packaging')
const read = (file: string) => readFileSync(join(folder, file), 'utf8')
const values: Record<string, unknown> = parse(read('helm/values.yaml'))
const configuration = String(values['configuration'])

/** A template of the chart, with the few words of Helm that it may use. */
function rendered(file: string) {
  const text = read(`helm/templates/${file}`).replaceAll(/\{\{ (.*?) \}\}/g, (_, words: string) => {
    const [path = '', filter] = words.split(' | ')
    const [, root, ...names] = path.split('.')
    const top: unknown = { Values: values, Release: { Name: 'logs' } }[root ?? '']
    const value = names.reduce<unknown>((each, name) => Reflect.get(Object(each), name), top)
    assert.ok(typeof value === 'string' || typeof value === 'number', `${file}: ${words}`)
    if (filter === undefined) return String(value)
    if (filter === 'quote') return JSON.stringify(String(value))
    assert.equal(filter, 'indent 4')
    return String(value).replaceAll(/^(?=.)/gm, '    ')
  })
  return parse(text)
}

/** The command that each of the three runs, as words behind `millrace`. */
function commands(): Record<string, readonly string[]> {
  const docker = read('Dockerfile')
  const list = (instruction: string): string[] =>
    JSON.parse(new RegExp(`^${instruction} (\\[.*\\])$`, 'm').exec(docker)?.[1] ?? '[]')
  const [entry, ...entryWords] = list('ENTRYPOINT')
  assert.equal(entry, 'millrace')
  const unit = /^ExecStart=\S+\/millrace (.*)$/m.exec(read('millrace-agent@.service'))?.[1] ?? ''
  const [container] = rendered('statefulset.yaml').spec.template.spec.containers
  return {
    systemd: unit.replaceAll('%i', 'a1').split(' '),
    Dockerfile: [...entryWords, ...list('CMD')],
    helm: [...entryWords, ...container.args],
  }
}

describe('the examples of packaging', function () {
  this.timeout(30_000)

  it('use options that millrace agent has', async () => {
    const { stdout } = await runHere(['help', 'agent'])
    for (const [name, [command, ...words]] of Object.entries(commands())) {
      assert.equal(command, 'agent', name)
      const options = words.filter((word) => /^--?[a-z]/.test(word))
      assert.ok(options.length >= 3, name)
      for (const option of options)
        assert.match(stdout, new RegExp(`(^|[ ,])${option}[ ,]`, 'm'), `${name}: ${option}`)
    }
  })

  it('have a chart whose parts fit together', () => {
    const { metadata, data } = rendered('configmap.yaml')
    assert.equal(data['flume.properties'], configuration)
    const { spec } = rendered('statefulset.yaml')
    const pod = spec.template.spec
    assert.equal(pod.volumes[0].configMap.name, metadata.name)
    const service = rendered('service.yaml')
    assert.equal(spec.serviceName, service.metadata.name)
    assert.deepEqual(service.spec.selector, spec.template.metadata.labels)
    assert.deepEqual(spec.selector.matchLabels, spec.template.metadata.labels)
    const [container] = pod.containers
    assert.match(configuration, new RegExp(`\\.port = ${container.ports[0].containerPort}$`, 'm'))
    const stop = Number(container.args[container.args.indexOf('--stop-timeout') + 1])
    assert.ok(stop < pod.terminationGracePeriodSeconds)
    assert.equal(parse(read('helm/Chart.yaml')).name, 'millrace-agent')
  })

  it('leave the agent less time for its stop than their service manager does', () => {
    const seconds = (words: readonly string[] = []) =>
      Number(words[words.indexOf('--stop-timeout') + 1])
    const { systemd, Dockerfile } = commands()
    const unit = /^TimeoutStopSec=(\d+)$/m.exec(read('millrace-agent@.service'))?.[1]
    assert.ok(seconds(systemd) < Number(unit))
    assert.ok(seconds(Dockerfile) < 10)
  })

  it('run, answer their probes and stop', async () => {
    const directory = temporaryDirectory()
    const [port, monitoring] = [await freePort(), await freePort()]
    const file = join(directory, 'flume.properties')
    writeFileSync(
      file,
      configuration
        .replaceAll('/var/lib/millrace', directory)
        .replace('in.port = 41414', `in.port = ${port}`)
        .replace('collector.example.com', '127.0.0.1')
        .replace('0.0.0.0', '127.0.0.1'),
    )
    const words = (commands()['helm'] ?? []).map((word) =>
      word
        .replace('/etc/millrace/flume.properties', file)
        .replace('port=34545', `port=${monitoring}`),
    )
    const agent = startMillrace([...words, '-Dflume.monitoring.host=127.0.0.1'])
    await agent.shows(/^ready agent=a1/m)
    const [container] = rendered('statefulset.yaml').spec.template.spec.containers
    for (const probe of ['startupProbe', 'readinessProbe', 'livenessProbe']) {
      const { path } = container[probe].httpGet
      const { status } = await fetch(`http://127.0.0.1:${monitoring}${path}`)
      assert.equal(status, 200, path)
    }
    const [, health] = /:34545(\/\w+)'/.exec(read('Dockerfile')) ?? []
    assert.equal((await fetch(`http://127.0.0.1:${monitoring}${health}`)).status, 200)
    agent.kill('SIGTERM')
    assert.equal((await agent.finished).code, 0)
  })
})
