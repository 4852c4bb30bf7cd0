// What every official client is made to do: list all there is, then call, read and get what it is told to. The tour
// comes as one JSON argument and what was seen leaves as one line of JSON on stdout.
//
//   { target: { url } | { command, args, env? }, mode?, calls?: [{ name, arguments }], reads?: [uri], prompts?: [{ name, arguments }] }

export const tour = JSON.parse(process.argv[2])

/**
 * @param client an SDK client, connected; v1 and v2 share these methods
 * @param about what the driver knows of the conversation itself
 */
export async function take(client, about) {
  const capabilities = client.getServerCapabilities() ?? {}
  const seen = {
    ...about,
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
  for (const call of tour.calls ?? []) seen.calls[call.name] = await client.callTool(call)
  for (const uri of tour.reads ?? []) seen.reads[uri] = await client.readResource({ uri })
  for (const prompt of tour.prompts ?? []) seen.gets[prompt.name] = await client.getPrompt(prompt)
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

/** Runs the driver; a failure leaves as one line on stderr and exit code 1. */
export async function drive(run) {
  try {
    process.stdout.write(`${JSON.stringify(await run())}\n`)
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
    process.exitCode = 1
  }
}
