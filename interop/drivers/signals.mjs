/**
 * Hears what a server says besides its answers: progress, log messages, changes of lists and resources, completions;
 * and cancels a call. The server is peers/own-server.mjs, whose tools have `prefix` before their names here.
 * @param client an SDK client, connected
 * @param order { prefix, resource } where `resource` is the URI its watched resource has here
 */
export async function readSignals(client, { prefix, resource }, { era }) {
  const heard = []
  const waiting = []
  client.fallbackNotificationHandler = async (notification) => {
    heard.push(notification)
    for (const waiter of waiting) waiter()
  }
  const paramsOf = (method) => heard.filter((one) => one.method === method).map(({ params }) => params)
  const until = (what, holds) =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`Heard no ${what} for 10 s, only ${JSON.stringify(heard)}`)),
        10_000,
      )
      const look = () => {
        if (!holds()) return
        clearTimeout(timer)
        resolve()
      }
      waiting.push(look)
      look()
    })
  const call = (name, args = {}, options = {}, meta) =>
    client.callTool({ name: prefix + name, arguments: args, ...(meta === undefined ? {} : { _meta: meta }) }, options)

  const progress = []
  await call('test_tool_with_progress', {}, { onprogress: (report) => progress.push(report) })

  // The newest revision asks for log messages with each request, the others once.
  if (era === 'legacy') await client.setLoggingLevel('debug')
  const meta = era === 'legacy' ? undefined : { 'io.modelcontextprotocol/logLevel': 'debug' }
  await call('test_tool_with_logging', {}, {}, meta)
  await until('three log messages', () => paramsOf('notifications/message').length >= 3)

  const { completion } = await client.complete({
    ref: { type: 'ref/prompt', name: `${prefix}test_prompt_with_arguments` },
    argument: { name: 'arg1', value: 'test' },
  })

  const listening =
    era === 'legacy'
      ? await client.subscribeResource({ uri: resource })
      : await client.listen({ toolsListChanged: true, resourceSubscriptions: [resource] })
  await call('touch')
  await until('update of the resource', () => paramsOf('notifications/resources/updated').length > 0)
  await call('test_trigger_tool_change')
  await until('change of the tools', () => paramsOf('notifications/tools/list_changed').length > 0)
  await listening.close?.()

  const cancelledAbove = async (above) => Number((await call('cancelled', { above })).content[0].text)
  const before = await cancelledAbove(-1)
  const giveUp = new AbortController()
  const given = call('wait', {}, { signal: giveUp.signal, onprogress: () => giveUp.abort() }).then(
    () => 'answered',
    () => 'given up',
  )
  const cancelled = await given
  // Answers only once the server has seen it.
  const after = await cancelledAbove(before)

  return {
    progress: progress.map((report) => report.progress),
    logs: paramsOf('notifications/message').map((message) => message.data),
    completion: completion.values,
    updated: paramsOf('notifications/resources/updated').map(({ uri }) => uri),
    cancelled,
    cancelledAtServer: after - before,
  }
}
