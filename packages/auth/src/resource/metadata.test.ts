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
  [{ resource: 'mcp' }, '"resource": it has to be the http(s) URL'],
  [{ resource: 'https://mcp.example.com/mcp#' }, 'has to be'],
  [{ resource: 'https://me@mcp.example.com/' }, 'has to be'],
  [{ issuers: ['file:///x'] }, '"issuers[0]": it has to be an http(s) URL'],
  [{ issuers: [] }, 'a list of those who give tokens'],
  [{ scopes: ['offline_access'] }, 'no matter of its scopes'],
])('does not say what clients would refuse: %j', (wrong, sentence) => {
  expect(() => protectedResourceMetadata({ ...about, ...wrong })).toThrow(sentence)
})
