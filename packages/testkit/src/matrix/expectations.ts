import type { JsonObject } from '@crosspoint/mcp'
import type { Speaks } from './speaks.ts'
import { BIG, LINK, PAGE, PAGE_MESSAGE, TOOLS, toAsking, toTemplate, toWatched } from './upstream.ts'

/**
 * What a client of one revision gets from a server of another through the gateway, feature by feature: the one table
 * that the tests of the matrix run and `docs/matrix.md` is written from (PROTOCOL §15.2 to §15.5).
 */
export interface Expected {
  /** It arrives as what it is; otherwise the peer gets an answer that says why not. */
  readonly isCarried: boolean
  /** In a cell of the page, where it is not simply carried. */
  readonly mark?: string
  /** What the test of the cell says. */
  readonly sentence: string
  /** What a client sees of it, all of it. */
  readonly seen: JsonObject
  /** What the text says that the client got; without it the text is part of `seen`. */
  readonly says?: RegExp
}

export interface Row {
  readonly feature: string
  readonly title: string
  readonly expected: (client: Speaks, server: Speaks) => Expected
}

const carried = (sentence: string, seen: JsonObject): Expected => ({ isCarried: true, sentence, seen })
const answered = (mark: string, sentence: string, seen: JsonObject, says?: RegExp): Expected => ({
  isCarried: false,
  mark,
  sentence,
  seen,
  ...(says === undefined ? {} : { says }),
})

/** A question reaches the client while its call is open, or as the answer to it, and a retry brings what was said. */
const asked = (client: Speaks, what: string, text: string, ...rounds: readonly (readonly string[])[]): Expected => {
  const how = client.shakesHands ? 'while the call is open' : 'by the result, and goes on with the retry'
  const requests = client.shakesHands ? 1 : rounds.length + 1
  return carried(`${what} ${how}`, { text, asked: rounds.flat().sort(), requests })
}

/** The model reads what is missing, and nothing was asked. */
const refused = (mark: string, sentence: string, says: RegExp): Expected =>
  answered(mark, sentence, { isError: true, asked: [], requests: 1 }, says)

export const ROWS: readonly Row[] = [
  {
    feature: 'list',
    title: 'Lists of tools, resources, templates and prompts',
    expected: (_client, server) =>
      carried('lists all there is', {
        tools: [...TOOLS],
        resources: [toWatched(server.name), toAsking(server.name)],
        templates: [toTemplate(server.name)],
        prompts: ['greet', 'asking'],
      }),
  },
  {
    feature: 'call',
    title: 'Tool calls',
    expected: () => carried('calls a tool', { text: 'You said hi' }),
  },
  {
    feature: 'progress',
    title: 'Progress',
    expected: (client, server) => {
      const hasWords = client.progressWords && server.progressWords
      const step = (progress: number, message: string) => ({ progress, total: 3, ...(hasWords ? { message } : {}) })
      const sentence = 'hears of progress under its own token, before the answer'
      return carried(hasWords ? sentence : `${sentence}, without words`, {
        text: 'counted',
        steps: [step(1, 'one'), step(2, 'two'), step(3, 'three')],
      })
    },
  },
  {
    feature: 'cancel',
    title: 'Cancellation',
    expected: () => carried('cancels, and the server stops', { text: 'seen: cancelled', isAnswered: false }),
  },
  {
    feature: 'log',
    title: 'Log messages of a call',
    expected: () =>
      carried('hears what a call logs, from the level it wanted on, before the answer', {
        text: 'logged',
        logged: [
          { level: 'info', data: 'enough', logger: 'matrix' },
          { level: 'error', data: { broken: true } },
        ],
      }),
  },
  {
    feature: 'elicit-form',
    title: 'Elicitation by form',
    expected(client, server) {
      if (!server.elicitsForms) return NO_FORMS
      if (client.elicitsForms) return asked(client, 'elicits by form', 'Hello Ada', ['elicitation/create'])
      return NO_FORMS_HERE
    },
  },
  {
    feature: 'elicit-url',
    title: 'Elicitation by URL',
    expected(client, server) {
      if (!server.elicitsPages) return NO_PAGES
      if (client.elicitsPages) return asked(client, 'elicits by URL', 'visited', ['elicitation/create'])
      return NO_PAGES_HERE
    },
  },
  {
    feature: 'sample',
    title: 'Sampling',
    expected: (client) => asked(client, 'samples', 'sampled one', ['sampling/createMessage']),
  },
  {
    feature: 'roots',
    title: 'Roots',
    expected: (client) => asked(client, 'is asked for its roots', 'file:///home', ['roots/list']),
  },
  {
    feature: 'rounds',
    title: 'Several rounds, several questions in one',
    expected: (client) =>
      asked(
        client,
        'is asked one thing, then two at once,',
        'sampled first,sampled second,file:///home',
        ['sampling/createMessage'],
        ['sampling/createMessage', 'roots/list'],
      ),
  },
  {
    feature: 'decline',
    title: 'A user who declines',
    expected(client, server) {
      if (!server.elicitsForms) return NO_FORMS
      if (!client.elicitsForms) return NO_FORMS_HERE
      const text = 'The user declined when asked: What is your name?'
      const { sentence, seen } = asked(client, 'declines, and the server hears of it,', text, ['elicitation/create'])
      return carried(sentence, { ...seen, isError: true })
    },
  },
  {
    feature: 'required',
    title: 'Pages that are required first (-32042)',
    expected(client, server) {
      if (!client.elicitsPages && !server.shakesHands) return NO_PAGES_HERE
      if (!client.elicitsPages || !server.elicitsPages) {
        return refused('the reason', 'is told what is required, without its URL', new RegExp(`^${PAGE_MESSAGE}$`))
      }
      if (!client.shakesHands || !server.shakesHands) {
        return asked(client, 'is sent to a page that is required first', 'connected', ['elicitation/create'])
      }
      const page = { code: -32042, mode: 'url', url: PAGE, isTold: true }
      const seen = { text: 'connected', asked: [], requests: 1, ...page }
      return carried('is told by -32042 of a page that is required first, hears of the visit and calls again', seen)
    },
  },
  {
    feature: 'steps',
    title: 'Progress before and after a question',
    expected(client, server) {
      const one = { progress: 1, total: 2 }
      const two = { progress: 2, total: 2 }
      // Who asks by results begins again with each round. Whose call is one for all of them hears it go on from there.
      const goesOn = [one, { progress: 2, total: 3 }, { progress: 3, total: 3 }]
      const steps = server.shakesHands ? [one, two] : client.shakesHands ? goesOn : [one, one, two]
      const text = 'sampled on the way'
      return carried('hears of progress that only increases, whatever is asked meanwhile', { text, steps })
    },
  },
  {
    feature: 'asked-by-others',
    title: 'Questions of prompts and resources',
    expected: (client) =>
      carried(`is asked for a prompt and for a resource ${client.shakesHands ? 'meanwhile' : 'by the result'}`, {
        prompt: 'sampled for a prompt',
        text: 'sampled for a text',
        asked: ['sampling/createMessage', 'sampling/createMessage'],
      }),
  },
  {
    feature: 'watch',
    title: 'Updates of a resource',
    expected: (client, server) =>
      carried(client.shakesHands ? 'subscribes to a resource' : 'listens to a resource', {
        updated: toWatched(server.name),
        acknowledged: client.shakesHands ? undefined : { resourceSubscriptions: [toWatched(server.name)] },
      }),
  },
  {
    feature: 'list-changed',
    title: 'Changes of a list',
    expected: (client) =>
      carried('hears that the list of tools changed, and finds the new one', {
        isListed: true,
        acknowledged: client.shakesHands ? undefined : { toolsListChanged: true },
      }),
  },
  {
    feature: 'task',
    title: 'Tasks',
    expected(client, server) {
      // Where callers decide what becomes a task, a call becomes one here that its server would make none of.
      const isNone = server.traits.tasks === 'none' && client.traits.tasks !== 'core'
      if (client.traits.tasks === 'none' || isNone) {
        return answered('a plain result', 'gets the result of what might be a task', { text: 'worked', isTask: false })
      }
      const seen = { text: 'worked', isTask: true, status: 'completed' }
      return carried('runs a tool as a task, asks how it is and fetches the result', seen)
    },
  },
  {
    feature: 'completion',
    title: 'Completion',
    expected: () => carried('completes an argument', { values: ['ada', 'alan'] }),
  },
  {
    feature: 'structured',
    title: 'Structured output',
    expected(client, server) {
      const text = { object: { text: '{"n":1}' }, list: { text: '[1,2]' } }
      if (client.structured === 'nothing' || server.structured === 'nothing') {
        return answered('as text', 'gets structured output as text', text)
      }
      const object = { ...text.object, value: { n: 1 }, schema: 'object' }
      if (client.structured === 'anything' && server.structured === 'anything') {
        return carried('gets structured output of any kind', {
          object,
          list: { ...text.list, value: [1, 2], schema: 'array' },
        })
      }
      return carried('gets structured output, a list as the "result" of an object', {
        object,
        list: { ...text.list, value: { result: [1, 2] }, schema: 'object' },
      })
    },
  },
  {
    feature: 'content',
    title: 'Audio and links in results',
    expected(client, server) {
      const hasAudio = client.hasAudio && server.hasAudio
      const hasLinks = client.hasLinks && server.hasLinks
      const audio = [hasAudio ? 'audio' : 'resource', 'AAAA']
      const link = hasLinks ? ['resource_link', LINK] : ['text', `elsewhere: ${LINK}`]
      const seen = { content: [['text', 'words'], audio, link] }
      if (hasLinks) return carried('gets audio as audio and a link as a link', seen)
      return hasAudio
        ? answered('the link as text', 'gets audio as audio, and a link as text', seen)
        : answered('as a resource and text', 'gets audio as an embedded resource, and a link as text', seen)
    },
  },
  {
    feature: 'errors',
    title: 'Errors',
    expected(client) {
      const noResource = client.traits.errorCodes === 'legacy' ? -32002 : -32602
      return carried(`is told by ${noResource} that there is no such resource, and by -32602 of other mistakes`, {
        noResource: { code: noResource, isNamed: true },
        noTool: -32602,
        noArgument: -32602,
      })
    },
  },
  {
    feature: 'big',
    title: 'Results of a megabyte',
    expected: () => carried('gets a megabyte whole', { length: BIG.length, isWhole: true }),
  },
]

/** What is missing is named, and where it leads to is not for a model. */
const WITHOUT_URL = new RegExp(`^(?!.*${new URL(PAGE).host}).*(elicitation|URL)`, 'is')
const NO_FORMS = refused(
  'the server cannot ask',
  'is told that the server has no elicitation to ask by',
  /elicitation/i,
)
const NO_PAGES = refused(
  'the server cannot ask',
  'is told that the server has no way to send it to a page',
  WITHOUT_URL,
)
const LACKING = 'says what the client lacks'
const NO_FORMS_HERE = refused(LACKING, 'is told that it cannot be asked by form', /elicitation/)
const NO_PAGES_HERE = refused(LACKING, 'is told that it cannot be sent to a page, without its URL', WITHOUT_URL)
