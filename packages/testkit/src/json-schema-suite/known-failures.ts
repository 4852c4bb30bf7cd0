/**
 * Tests of the suite that we fail, and why: `<draft> <file>: <group>: <test>`. All of them are optional. One that begins
 * to pass counts as unexpected, so that this list stays true.
 */
export const KNOWN_FAILURES: ReadonlyMap<string, string> = new Map([
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
])

function failing(group: string, { tests, why }: { readonly tests: readonly string[]; readonly why: string }) {
  return tests.map((test) => [`${group}: ${test}`, why] as const)
}
