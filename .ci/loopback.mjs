import dns from 'node:dns'
import { Server } from 'node:net'

/**
 * Preloaded into the conformance suite, whose mock servers name no address and so would listen on every interface:
 * keeps them on 127.0.0.1. The look-up of that address answers at once, since the suite reads a server's address
 * right after `listen`.
 */
const ADDRESS = '127.0.0.1'

const { listen } = Server.prototype
Server.prototype.listen = function (first, ...rest) {
  if (typeof first === 'object' && first !== null && 'port' in first && first.host === undefined) {
    return listen.call(this, { ...first, host: ADDRESS }, ...rest)
  }
  const isPort = first === undefined || typeof first === 'number' || typeof first === 'function'
  if (!isPort || typeof rest[0] === 'string') return listen.call(this, first, ...rest)
  const port = typeof first === 'number' ? first : 0
  const callback = [first, ...rest].find((argument) => typeof argument === 'function')
  return listen.call(this, port, ADDRESS, callback)
}

const { lookup } = dns
dns.lookup = (name, ...rest) => {
  if (name !== ADDRESS) return lookup(name, ...rest)
  const callback = rest.at(-1)
  if (rest.length > 1 && rest[0]?.all === true) callback(null, [{ address: ADDRESS, family: 4 }])
  else callback(null, ADDRESS, 4)
}
