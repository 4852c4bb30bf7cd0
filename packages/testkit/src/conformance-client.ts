import { runConformanceClient } from './conformance/client.ts'

/**
 * The library's client as a process, for the official conformance suite, which says in its environment what to do.
 *
 *   node packages/testkit/dist/conformance-client.js http://127.0.0.1:3000/mcp
 */
const [url] = process.argv.slice(2)
if (url === undefined) {
  console.error('Cannot run without the URL of a server')
  process.exitCode = 2
} else process.exitCode = await runConformanceClient(url, process.env)
