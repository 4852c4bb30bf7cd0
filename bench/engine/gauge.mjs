// Preloaded into every process under measurement: says what it has used so far when asked over IPC. The process's own
// count is exact to the microsecond, where the kernel's table has ticks of ten milliseconds. 'rest' collects garbage
// first, where Node was started with --expose-gc.
process.on('message', (message) => {
  if (message !== 'used' && message !== 'rest') return
  if (message === 'rest') for (let turn = 0; turn < 3; turn++) globalThis.gc?.()
  const { user, system } = process.cpuUsage()
  const { rss, heapUsed, external } = process.memoryUsage()
  process.send({ cpuUs: user + system, rss, heapUsed, external })
})
process.channel?.unref()
// A bench that was killed leaves nobody behind.
process.on('disconnect', () => process.exit())
