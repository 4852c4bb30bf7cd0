import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const packages = fileURLToPath(new URL('./packages/', import.meta.url))

// Tests read sources, not builds, so that a failing line is the line you wrote. Tests that start the command line
// or a child process run the build, which `npm test` makes first.
const alias = [
  { find: /^@crosspoint\/(\w+)\/([\w-]+)$/, replacement: `${packages}$1/src/$2/index.ts` },
  { find: /^@crosspoint\/(\w+)$/, replacement: `${packages}$1/src/index.ts` },
]

// The files of a project share one copy of its modules, as the parts of a program do: to load them anew for each file
// took longer than the tests.
const project = (name: string, include: string[]) => ({
  resolve: { alias },
  test: { name, include, isolate: false, testTimeout: 20_000, hookTimeout: 30_000, restoreMocks: true },
})

export default defineConfig({
  test: {
    // One for each core: left alone, vitest keeps one of two cores for itself, and most tests wait for other processes anyway.
    maxWorkers: Math.max(2, availableParallelism()),
    projects: [
      project('mcp', ['packages/mcp/src/**/*.test.ts']),
      project('auth', ['packages/auth/src/**/*.test.ts']),
      project('gateway', ['packages/gateway/src/**/*.test.ts']),
      project('cli', ['packages/cli/src/**/*.test.ts']),
      project('testkit', ['packages/testkit/src/**/*.test.ts']),
      project('interop', ['interop/**/*.test.ts']),
    ],
  },
})
