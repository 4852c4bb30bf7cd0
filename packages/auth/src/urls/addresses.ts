/** Who can be behind an address. */
export type AddressKind = 'public' | 'loopback' | 'private'

/**
 * What kind of place an IP address is. Whatever is not plainly public counts as private: special purposes (IANA
 * registries of RFC 6890), shared and documentation space, multicast, and IPv4 wrapped into IPv6 by what it wraps.
 * @returns undefined for text that is no address
 */
export function kindOfAddress(text: string): AddressKind | undefined {
  const bare = text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text
  const four = parseIpv4(bare)
  if (four !== undefined) return kindOfIpv4(four)
  const six = parseIpv6(bare)
  return six === undefined ? undefined : kindOfIpv6(six)
}

/** Dotted decimal and nothing else, as the URL parser leaves it. */
function parseIpv4(text: string): number | undefined {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)?.slice(1).map(Number)
  if (parts === undefined || parts.some((part) => part > 255)) return undefined
  return parts.reduce((value, part) => value * 256 + part, 0)
}

function kindOfIpv4(address: number): AddressKind {
  const isIn = (block: string, bits: number) => {
    const base = parseIpv4(block) ?? 0
    const size = 2 ** (32 - bits)
    return address >= base && address < base + size
  }
  if (isIn('127.0.0.0', 8)) return 'loopback'
  return NOT_PUBLIC_IPV4.some(([block, bits]) => isIn(block, bits)) ? 'private' : 'public'
}

/** Eight groups of sixteen bits. */
function parseIpv6(text: string): readonly number[] | undefined {
  const [address = '', zone] = text.split('%')
  if (zone !== undefined || !/^[0-9a-f:.]+$/i.test(address) || !address.includes(':')) return undefined
  const halves = address.split('::')
  if (halves.length > 2) return undefined
  const [head = [], tail = []] = halves.map(toGroups)
  if (head.includes(-1) || tail.includes(-1)) return undefined
  const missing = 8 - head.length - tail.length
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined
  return [...head, ...Array<number>(missing).fill(0), ...tail]
}

function toGroups(half: string): number[] {
  if (half === '') return []
  return half.split(':').flatMap((group) => {
    const four = parseIpv4(group)
    if (four !== undefined) return [Math.floor(four / 0x10000), four % 0x10000]
    return /^[0-9a-f]{1,4}$/i.test(group) ? [Number.parseInt(group, 16)] : [-1]
  })
}

function kindOfIpv6(groups: readonly number[]): AddressKind {
  const [first = 0, second = 0] = groups
  const isZero = (from: number, to: number) => groups.slice(from, to).every((group) => group === 0)
  const wrapped = (at: number) => kindOfIpv4((groups[at] ?? 0) * 0x10000 + (groups[at + 1] ?? 0))
  if (isZero(0, 7) && groups[7] === 1) return 'loopback'
  if (isZero(0, 5) && groups[5] === 0xffff) return wrapped(6) // IPv4-mapped
  if (first === 0x64 && second === 0xff9b && isZero(2, 6)) return wrapped(6) // NAT64
  if (first === 0x2002) return wrapped(1) === 'public' ? 'public' : 'private' // 6to4
  // Only 2000::/3 is given out; of it, 2001::/23 is for protocols (Teredo among them) and 2001:db8::/32 for documents.
  if ((first & 0xe000) !== 0x2000) return 'private'
  if (first === 0x2001 && (second < 0x200 || second === 0xdb8)) return 'private'
  return first === 0x3fff && second < 0x1000 ? 'private' : 'public'
}

const NOT_PUBLIC_IPV4: readonly (readonly [block: string, bits: number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
]
