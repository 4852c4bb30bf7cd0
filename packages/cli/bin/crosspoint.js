#!/usr/bin/env node
// Committed, not built, so that npm can link the command before the first build.
import { existsSync } from 'node:fs'

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
const built = new URL('../dist/bin.js', import.meta.url)

if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(`crosspoint: Node ${process.versions.node} is too old; 20.19 or later works\n`)
  process.exitCode = 1
} else if (existsSync(built)) {
  await import(built.href)
} else {
  process.stderr.write('crosspoint: not built yet; run "npm run build" in the checkout\n')
  process.exitCode = 1
}
