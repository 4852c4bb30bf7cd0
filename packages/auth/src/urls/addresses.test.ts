import fc from 'fast-check'
import { expect, it } from 'vitest'
import { kindOfAddress } from './addresses.ts'

it.each([
  [
    'public',
    [
      '8.8.8.8',
      '1.1.1.1',
      '172.32.0.1',
      '100.128.0.0',
      '192.169.0.1',
      '2606:4700::1111',
      '::ffff:8.8.8.8',
      '64:ff9b::808:808',
      '2002:808:808::',
    ],
  ],
  [
    'loopback',
    ['127.0.0.1', '127.255.255.254', '::1', '[::1]', '::ffff:127.0.0.1', '::ffff:7f00:1', '64:ff9b::7f00:1'],
  ],
  [
    'private',
    [
      '0.0.0.0',
      '10.1.2.3',
      '100.64.0.1',
      '169.254.169.254',
      '172.16.0.1',
      '172.31.255.255',
      '192.0.0.1',
      '192.0.2.1',
      '192.168.1.1',
      '198.18.0.1',
      '198.51.100.1',
      '203.0.113.1',
      '224.0.0.1',
      '240.0.0.1',
      '255.255.255.255',
    ],
  ],
  [
    'private',
    [
      '::',
      'fe80::1',
      'fc00::1',
      'fd12:3456::1',
      'fec0::1',
      'ff02::1',
      '::ffff:10.0.0.1',
      '::ffff:a9fe:a9fe',
      '2002:7f00:1::',
      '2002:a00:1::',
      '2001::1',
      '2001:db8::1',
      '3fff::1',
      '::8.8.8.8',
      '64:ff9b:1::1',
    ],
  ],
])('abuse-30: finds %s what is %j', (kind, addresses) => {
  for (const address of addresses) expect([address, kindOfAddress(address)]).toEqual([address, kind])
})

it.each([
  'example.com',
  '',
  '1.2.3',
  '1.2.3.4.5',
  '256.0.0.1',
  '1:2:3',
  '::1::',
  ':::',
  'fe80::1%eth0',
  '12345::',
  'g::',
])('finds "%s" to be no address', (text) => expect(kindOfAddress(text)).toBeUndefined())

it('an IPv4 address is the same kind of place wrapped into IPv6', () => {
  fc.assert(
    fc.property(fc.ipV4(), (address) => {
      expect(kindOfAddress(`::ffff:${address}`)).toBe(kindOfAddress(address))
    }),
  )
})

it('judges every address, whatever way it is written', () => {
  fc.assert(
    fc.property(fc.ipV6(), (address) => {
      const kind = kindOfAddress(address)
      expect(kind).toBeDefined()
      expect(kindOfAddress(new URL(`http://[${address}]/`).hostname)).toBe(kind)
    }),
  )
})
