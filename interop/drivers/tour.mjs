/**
 * Lists all there is, then calls, reads and gets what it is told to.
 * @param client an SDK client, connected; both lines share these methods
 * @param order { calls?: [{ name, arguments }], reads?: [uri], prompts?: [{ name, arguments }] }
 */
export async function takeTour(client, order) {
  const capabilities = client.getServerCapabilities() ?? {}
  const seen = {
    server: client.getServerVersion(),
    instructions: client.getInstructions(),
    tools: await all((params) => client.listTools(params), 'tools'),
    resources: capabilities.resources ? await all((params) => client.listResources(params), 'resources') : [],
    templates: capabilities.resources
      ? await all((params) => client.listResourceTemplates(params), 'resourceTemplates')
      : [],
    prompts: capabilities.prompts ? await all((params) => client.listPrompts(params), 'prompts') : [],
    calls: {},
    reads: {},
    gets: {},
  }
  for (const call of order.calls ?? []) seen.calls[call.name] = await client.callTool(call)
  for (const uri of order.reads ?? []) seen.reads[uri] = await client.readResource({ uri })
  for (const prompt of order.prompts ?? []) seen.gets[prompt.name] = await client.getPrompt(prompt)
  return seen
}

/** Follows cursors to the end, and no further than a server that never ends would lead. */
async function all(list, member) {
  const items = []
  let cursor
  for (let page = 0; page < 100; page++) {
    const result = await list(cursor === undefined ? {} : { cursor })
    items.push(...result[member])
    cursor = result.nextCursor
    if (cursor === undefined) return items
  }
  throw new Error(`"${member}" had no end after 100 pages`)
}
