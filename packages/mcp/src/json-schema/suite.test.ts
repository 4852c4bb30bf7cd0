import { describe, expect, test } from 'vitest'
import { readRemotes, readSuite, type SuiteDraft, type SuiteGroup, withDialect } from './fixtures/suite.ts'
import { compileJsonSchema } from './index.ts'

/** What we do not do, and why. All of it is optional; a test of these that begins to pass fails here. */
const KNOWN_FAILURES: { readonly [test: string]: string } = {
  ...failing('draft2020-12 optional/cross-draft.json: refs to historic drafts are processed as historic drafts', {
    tests: ['first item not a string is valid'],
    why: '2019-09 is not supported',
  }),
  ...failing(
    'draft2020-12 optional/format-assertion.json: schema that uses custom metaschema with format-assertion: false',
    {
      tests: ['format-assertion: false: invalid string'],
      why: 'ipv4 is not among the formats that can be asserted',
    },
  ),
  ...failing(
    'draft2020-12 optional/format-assertion.json: schema that uses custom metaschema with format-assertion: true',
    {
      tests: ['format-assertion: true: invalid string'],
      why: 'ipv4 is not among the formats that can be asserted',
    },
  ),
  ...failing('draft7 optional/cross-draft.json: refs to future drafts are processed as future drafts', {
    tests: ['missing bar is invalid', 'present bar is valid'],
    why: '2019-09 is not supported',
  }),
  ...failing('draft7 optional/content.json: validation of string-encoded content based on media type', {
    tests: ['an invalid JSON document'],
    why: 'content is a remark, as 2020-12 made it',
  }),
  ...failing('draft7 optional/content.json: validation of binary string-encoding', {
    tests: ['an invalid base64 string (% is not a valid character)'],
    why: 'content is a remark, as 2020-12 made it',
  }),
  ...failing('draft7 optional/content.json: validation of binary-encoded media type documents', {
    tests: ['a validly-encoded invalid JSON document', 'an invalid base64 string that is valid JSON'],
    why: 'content is a remark, as 2020-12 made it',
  }),
}

function failing(group: string, { tests, why }: { readonly tests: readonly string[]; readonly why: string }) {
  return Object.fromEntries(tests.map((name) => [`${group}: ${name}`, why]))
}

describe.each<SuiteDraft>(['draft2020-12', 'draft7'])('the public suite, %s', (draft) => {
  const groups = readSuite(draft)
  const documents = Object.fromEntries(
    Object.entries(readRemotes(draft)).map(([uri, document]) => [uri, withDialect(draft, document)]),
  )

  test('every required test passes', () => {
    const required = groups.filter(({ file }) => !file.startsWith('optional/'))
    expect(required.flatMap(({ tests }) => tests).length).toBe(draft === 'draft7' ? 927 : 1299)
    expect(required.flatMap(wrong)).toEqual([])
  })

  test('the optional tests pass, but for the known failures', () => {
    const optional = groups.filter(({ file }) => file.startsWith('optional/'))
    expect(optional.length).toBeGreaterThan(40)
    const known = Object.keys(KNOWN_FAILURES).filter((name) => name.startsWith(`${draft} `))
    expect(optional.flatMap(wrong).sort()).toEqual(known.sort())
  })

  function wrong({ file, description, schema, tests }: SuiteGroup): readonly string[] {
    const assertFormats = file.startsWith('optional/format/')
    let validate: (value: unknown) => unknown
    try {
      ;({ validate } = compileJsonSchema(withDialect(draft, schema), { documents, assertFormats }))
    } catch {
      validate = () => 'not compiled'
    }
    return tests
      .filter(({ data, valid }) => (validate(data) === undefined) !== valid || validate(data) === 'not compiled')
      .map((each) => `${draft} ${file}: ${description}: ${each.description}`)
  }
})
