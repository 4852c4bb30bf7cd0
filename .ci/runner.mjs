import { spawn } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { countVitest } from './count.mjs'

const AT_ONCE = 2
const STEP_LIMIT_MS = 15 * 60_000
const LOG_LINES = 120

/**
 * Runs steps in the order their `after` allows, prints a line for each and the totals last.
 * @returns {Promise<number>} the exit code
 */
export async function runSteps(steps, { root, only }) {
  const work = mkdtempSync(join(tmpdir(), 'crosspoint-ci-'))
  const began = Date.now()
  const running = new Map()
  const done = new Map()
  const stop = (signal) => {
    for (const { child } of running.values()) kill(child)
    finish(1, `stopped by ${signal}`)
    process.exit(1)
  }
  process.on('SIGINT', stop).on('SIGTERM', stop)
  process.on('uncaughtException', (error) => stop(error.stack)).on('unhandledRejection', (error) => stop(error.stack))

  const waiting = choose(steps, only)
  while (waiting.length > 0 || running.size > 0) {
    const before = waiting.length
    for (const step of [...waiting]) {
      const blocker = step.after?.find((name) => done.has(name) && !done.get(name).ok)
      if (blocker !== undefined) {
        waiting.splice(waiting.indexOf(step), 1)
        settle(step, { ok: false, passed: 0, failed: 1, seconds: 0, log: `Not run: "${blocker}" did not pass` })
      } else if (mayStart(step)) {
        waiting.splice(waiting.indexOf(step), 1)
        running.set(step.name, start(step, root, work))
      }
    }
    if (running.size === 0) {
      if (waiting.length === before) return finish(1, `"${waiting[0].name}" comes after a step that is not there`)
      continue
    }
    const { step, outcome } = await Promise.race([...running.values()].map((run) => run.ended))
    running.delete(step.name)
    settle(step, outcome)
  }
  return finish(0)

  function mayStart(step) {
    if (step.after?.some((name) => !done.has(name))) return false
    if (step.alone) return running.size === 0
    return running.size < AT_ONCE && ![...running.values()].some((run) => run.step.alone)
  }

  function settle(step, outcome) {
    done.set(step.name, outcome)
    console.log(`${outcome.ok ? '✓' : '✗'} ${step.name} (${outcome.seconds.toFixed(0)} s)`)
    if (!outcome.ok) console.log(outcome.log.replace(/^/gm, '    '))
  }

  function finish(unfinished, why) {
    rmSync(work, { recursive: true, force: true })
    let passed = 0
    let failed = unfinished
    console.log()
    for (const [name, outcome] of done) {
      passed += outcome.passed
      failed += outcome.failed
      const numbers = `${String(outcome.passed).padStart(6)} passed ${String(outcome.failed).padStart(4)} failed`
      console.log(`${numbers} ${outcome.seconds.toFixed(0).padStart(5)} s  ${name}`)
    }
    if (why !== undefined) console.log(why)
    console.log(`${((Date.now() - began) / 1000).toFixed(0)} s in all`)
    console.log(`${passed} passed, ${failed} failed`)
    return failed === 0 ? 0 : 1
  }
}

/** The steps named, and all they come after; every step when none is named. */
function choose(steps, only) {
  if (only.length === 0) return [...steps]
  const unknown = only.filter((name) => !steps.some((step) => step.name === name))
  if (unknown.length > 0) throw new Error(`No step is named ${unknown.join(', ')}`)
  const wanted = new Set(only)
  for (const step of [...steps].reverse())
    if (wanted.has(step.name)) for (const name of step.after ?? []) wanted.add(name)
  return steps.filter((step) => wanted.has(step.name))
}

function start(step, root, work) {
  const began = Date.now()
  const paths = {
    log: join(work, `${step.name}.log`),
    report: join(work, `${step.name}.json`),
    tally: join(work, `${step.name}.tally`),
  }
  const [command, ...args] = step.run
  if (step.counts === 'vitest') args.push('--reporter=default', '--reporter=json', `--outputFile.json=${paths.report}`)
  const log = openSync(paths.log, 'w')
  // A group of its own, so that a step that hangs goes with all it started.
  const child = spawn(command, args, {
    cwd: root,
    env: { ...process.env, CI_TALLY: paths.tally },
    stdio: ['ignore', log, log],
    detached: true,
  })
  closeSync(log)
  let late = false
  const timer = setTimeout(() => {
    late = true
    kill(child)
  }, STEP_LIMIT_MS)
  const ended = new Promise((resolve) => {
    const end = (code, why = '') => {
      clearTimeout(timer)
      const { passed, failed, notes } = count(step, paths, root, code)
      const tail = readFileSync(paths.log, 'utf8').trimEnd().split('\n').slice(-LOG_LINES)
      const lines = [...tail, ...notes, why, late ? `Stopped after ${STEP_LIMIT_MS / 60_000} minutes` : ''].filter(
        Boolean,
      )
      const seconds = (Date.now() - began) / 1000
      resolve({ step, outcome: { ok: failed === 0, passed, failed, seconds, log: lines.join('\n') } })
    }
    child.once('error', (error) => end(1, error.message))
    child.once('close', (code) => end(code ?? 1))
  })
  return { step, child, ended }
}

function count(step, paths, root, code) {
  const counts =
    step.counts === 'vitest'
      ? countVitest(paths.report, root)
      : step.counts === 'tally'
        ? countTally(paths.tally)
        : { passed: code === 0 ? 1 : 0, failed: 0, notes: [] }
  // A run that failed without a failing check, or passed without any, is a failure of its own.
  if (counts.failed === 0 && code !== 0) return { ...counts, failed: 1, notes: [`Exit code ${code}`] }
  if (counts.passed + counts.failed === 0) return { ...counts, failed: 1, notes: ['Nothing ran'] }
  return counts
}

function countTally(path) {
  let passed = 0
  let failed = 0
  for (const line of read(path).split('\n').filter(Boolean)) {
    const entry = JSON.parse(line)
    passed += entry.passed
    failed += entry.failed
  }
  return { passed, failed, notes: [] }
}

function read(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

function kill(child) {
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    // It has ended meanwhile.
  }
}
