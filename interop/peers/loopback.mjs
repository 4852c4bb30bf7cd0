// Preloaded (`node --import`) into servers that would listen on every interface: keeps them on 127.0.0.1 and says on
// stdout, as one line of JSON, which port they got.
import { Server } from 'node:net'

const listen = Server.prototype.listen

Server.prototype.listen = function listenOnLoopback(first, ...rest) {
  this.once('listening', () => process.stdout.write(`${JSON.stringify({ port: this.address().port })}\n`))
  if (typeof first === 'object' && first !== null) return listen.call(this, { host: '127.0.0.1', ...first }, ...rest)
  const callback = rest.find((argument) => typeof argument === 'function')
  return listen.call(this, { port: Number(first ?? 0), host: '127.0.0.1' }, callback)
}
