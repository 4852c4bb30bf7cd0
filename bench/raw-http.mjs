// One HTTP exchange over a raw socket: the loads are made of it, so that a client costs little beside what it measures.
import { connect } from 'node:net'

export function openSocket(port) {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () => resolve(socket))
    socket.on('error', reject)
  })
}

/** Sends a request and gives the whole reply, head and all, as text of bytes. */
export function exchange(socket, request) {
  return new Promise((resolve, reject) => {
    let text = ''
    // How long the reply is, once its head is here and says so: a large one is not looked through with every piece.
    let size
    const onData = (chunk) => {
      text += chunk.latin1Slice()
      size ??= sizeOf(text)
      if (size === undefined ? !isWhole(text) : text.length < size) return
      done()
      resolve(text)
    }
    const onClose = () => {
      done()
      reject(new Error(`The connection was closed in the middle of a reply: ${text.slice(0, 200)}`))
    }
    const done = () => {
      socket.off('data', onData)
      socket.off('close', onClose)
    }
    socket.on('data', onData)
    socket.on('close', onClose)
    socket.write(request)
  })
}

function sizeOf(text) {
  const end = text.indexOf('\r\n\r\n')
  const length = end === -1 ? null : /content-length: *(\d+)/.exec(text.slice(0, end).toLowerCase())
  return length === null ? undefined : end + 4 + Number(length[1])
}

function isWhole(text) {
  const end = text.indexOf('\r\n\r\n')
  if (end === -1) return false
  const head = text.slice(0, end).toLowerCase()
  if (head.includes('transfer-encoding: chunked')) return text.endsWith('0\r\n\r\n')
  return true
}
