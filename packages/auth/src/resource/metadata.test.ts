import { expect, it } from 'vitest'
import { protectedResourceMetadata } from './metadata.ts'

const about = { resource: 'https://mcp.example.com/mcp', issuers: ['https://as.example.com'] }

it('says what clients look for', () => {
  expect(protectedResourceMetadata({ ...about, scopes: ['read'], name: 'Weather' })).toEqual({
    resource: 'https://mcp.example.com/mcp',
    authorization_servers: ['https://as.example.com'],
    bearer_methods_supported: ['header'],
    scopes_supported: ['read'],
    resource_name: 'Weather',
  })
})

it.each([
  [{ resource: 'mcp' }, 'no http(s) URL'],
  [{ resource: 'https://mcp.example.com/mcp#' }, 'no http(s) URL'],
  [{ resource: 'https://me@mcp.example.com/' }, 'no http(s) URL'],
  [{ issuers: ['file:///x'] }, 'no http(s) URL'],
  [{ issuers: [] }, 'nobody gives tokens'],
  [{ scopes: ['offline_access'] }, 'no matter of its scopes'],
])('does not say what clients would refuse: %j', (wrong, sentence) => {
  expect(() => protectedResourceMetadata({ ...about, ...wrong })).toThrow(sentence)
})
