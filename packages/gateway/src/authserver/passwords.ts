import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import { McpError } from '@crosspoint/mcp'

/** What makes a digest slow: 2^`log2` rounds over 64 MiB, `lanes` times. Kept with each, so that it can be changed. */
const COST = { log2: 16, blocks: 8, lanes: 2 } as const

/** @returns `scrypt$<log2>$<blocks>$<lanes>$<salt>$<digest>` */
export async function digestPassword(password: string): Promise<string> {
  const salt = randomBytes(16)
  const digest = await derive(password, salt, COST)
  const { log2, blocks, lanes } = COST
  return ['scrypt', log2, blocks, lanes, salt.toString('base64url'), digest.toString('base64url')].join('$')
}

/** @param digest undefined: nobody has it. It takes as long as if somebody had. */
export async function isPassword(password: string, digest: string | undefined): Promise<boolean> {
  const known = parse(digest ?? '')
  const { cost, salt, bytes } = known ?? { cost: COST, salt: Buffer.alloc(16), bytes: Buffer.alloc(BYTES) }
  const found = await derive(password, salt, cost)
  return timingSafeEqual(found, bytes) && known !== undefined
}

/** What people choose: long enough to be worth a digest, short enough to be one. */
export function findPasswordFault(password: string): string | undefined {
  const letters = [...password].length
  if (letters < MIN_PASSWORD) return `A password has at least ${MIN_PASSWORD} letters`
  return letters > MAX_PASSWORD ? `A password has at most ${MAX_PASSWORD} letters` : undefined
}

/** Few are worked out at once, and few wait: each takes 64 MiB. */
export class PasswordDesk {
  #atWork = 0
  readonly #waiting: (() => void)[] = []

  /** @throws {McpError} `policy.busy` where too many wait */
  async isPassword(password: string, digest: string | undefined): Promise<boolean> {
    if (this.#atWork >= MAX_AT_WORK) {
      if (this.#waiting.length >= MAX_WAITING) {
        throw new McpError('policy.busy', 'Cannot sign anybody in at the moment: too many are at it')
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
    this.#atWork++
    try {
      return await isPassword(password, digest)
    } finally {
      this.#atWork--
      this.#waiting.shift()?.()
    }
  }
}

interface Cost {
  readonly log2: number
  readonly blocks: number
  readonly lanes: number
}

function derive(password: string, salt: Buffer, { log2, blocks, lanes }: Cost): Promise<Buffer> {
  const options = { N: 2 ** log2, r: blocks, p: lanes, maxmem: MAX_MEMORY }
  // The same word can be written in several ways that look alike.
  const text = password.normalize('NFKC')
  return new Promise((resolve, reject) => {
    scrypt(text, salt, BYTES, options, (error, digest) => (error === null ? resolve(digest) : reject(error)))
  })
}

function parse(digest: string) {
  const [kind, log2, blocks, lanes, salt = '', bytes = ''] = digest.split('$')
  const cost = { log2: Number(log2), blocks: Number(blocks), lanes: Number(lanes) }
  const isOurs =
    kind === 'scrypt' && Object.values(cost).every((part) => Number.isInteger(part) && part > 0 && part <= 20)
  const known = { cost, salt: Buffer.from(salt, 'base64url'), bytes: Buffer.from(bytes, 'base64url') }
  return isOurs && known.bytes.length === BYTES ? known : undefined
}

const BYTES = 32
const MAX_MEMORY = 256 * 1024 * 1024
const MAX_AT_WORK = 2
const MAX_WAITING = 50
const MIN_PASSWORD = 10
const MAX_PASSWORD = 256
