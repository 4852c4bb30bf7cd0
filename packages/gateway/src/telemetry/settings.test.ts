import { expect, test } from 'vitest'
import { createSampler } from './sampling.ts'
import { toMetricCollector, toTraceSettings } from './settings.ts'

const TRACES = { maxWaiting: 1 }
const METRICS = { intervalMs: 1_000 }
const PROMETHEUS = { host: '127.0.0.1', port: 0, path: '/metrics', allowedHosts: [] }

test('a collector is at the URL of the section, else of the environment, else here', () => {
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://all:4318/' }
  const own = { ...env, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://traces:1/as/it/is' }
  expect(toTraceSettings({ ...TRACES, otlp: 'http://a:1' }, own).url).toBe('http://a:1/v1/traces')
  expect(toTraceSettings(TRACES, own).url).toBe('http://traces:1/as/it/is')
  expect(toTraceSettings(TRACES, env).url).toBe('http://all:4318/v1/traces')
  expect(toTraceSettings(TRACES, {}).url).toBe('http://127.0.0.1:4318/v1/traces')
})

test('metrics are pushed where somebody is named, or nobody can ask', () => {
  expect(toMetricCollector({ ...METRICS, prometheus: PROMETHEUS }, {})).toBeUndefined()
  expect(toMetricCollector(METRICS, {})?.url).toBe('http://127.0.0.1:4318/v1/metrics')
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://all:4318' }
  expect(toMetricCollector({ ...METRICS, prometheus: PROMETHEUS }, env)?.url).toBe('http://all:4318/v1/metrics')
})

test('headers of the section are sent, and no others', () => {
  const env = { OTEL_EXPORTER_OTLP_HEADERS: 'a=1,b=2%203,broken,=x,c=%zz', OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'a=4' }
  expect(toTraceSettings({ ...TRACES, headers: { x: 'y' } }, env).headers).toEqual({ x: 'y' })
  expect(toTraceSettings(TRACES, env).headers).toEqual({ a: '4', b: '2 3', c: '%zz' })
})

test.each([
  ['', '', 1, true],
  ['always_on', '', 1, false],
  ['always_off', '', 0, false],
  ['traceidratio', '0.25', 0.25, false],
  ['parentbased_traceidratio', '0.25', 0.25, true],
  ['parentbased_always_off', '', 0, true],
  ['traceidratio', 'much', 1, false],
])('the sampler "%s" with "%s" records %s of all', (name, arg, sample, parentBased) => {
  const env = { OTEL_TRACES_SAMPLER: name, OTEL_TRACES_SAMPLER_ARG: arg }
  expect(toTraceSettings(TRACES, env)).toMatchObject({ sample, parentBased })
  expect(toTraceSettings({ ...TRACES, sample: 0.5, parentBased: false }, env)).toMatchObject({
    sample: 0.5,
    parentBased: false,
  })
})

test('of traces with ids at random so many are recorded as were asked for, and more share contain fewer', () => {
  const ids = Array.from({ length: 20_000 }, () => crypto.randomUUID().replaceAll('-', ''))
  const [tenth, half] = [createSampler(0.1, true), createSampler(0.5, true)]
  const chosen = ids.filter((id) => tenth(id, undefined))
  expect(chosen.length).toBeGreaterThan(1_700)
  expect(chosen.length).toBeLessThan(2_300)
  expect(chosen.every((id) => half(id, undefined))).toBe(true)
  expect(ids.every((id) => createSampler(1, false)(id, undefined))).toBe(true)
  expect(ids.some((id) => createSampler(0, false)(id, undefined))).toBe(false)
})

test('a trace that was begun elsewhere is recorded as it is there, unless that does not count', () => {
  const parent = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), flags: '01' }
  expect(createSampler(0, true)(parent.traceId, parent)).toBe(true)
  expect(createSampler(1, true)(parent.traceId, { ...parent, flags: '00' })).toBe(false)
  expect(createSampler(0, false)(parent.traceId, parent)).toBe(false)
})
