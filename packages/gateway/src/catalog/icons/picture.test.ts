import { describe, expect, it } from 'vitest'
import { parsePicture } from './picture.ts'

const bytesOf = (text: string) => Uint8Array.from(text, (letter) => letter.charCodeAt(0))
const svg = (inside: string, before = '') =>
  bytesOf(`${before}<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8">${inside}</svg>`)

describe('a picture', () => {
  it.each([
    ['image/png', bytesOf('\x89PNG\r\n\x1a\n…')],
    ['image/jpeg', bytesOf('\xff\xd8\xff\xe0')],
    ['image/gif', bytesOf('GIF89a')],
    ['image/webp', bytesOf('RIFF\0\0\0\0WEBPVP8 ')],
    ['IMAGE/GIF; charset=binary', bytesOf('GIF87a')],
    ['image/svg+xml', svg('<path d="M0 0h8v8z"/>', '<?xml version="1.0" encoding="UTF-8"?><!-- drawn by hand -->\n')],
    ['image/svg+xml', svg('<linearGradient id="a"/><rect fill="url(#a)"/><use href="#a"/>')],
    [
      'image/svg+xml',
      svg('<style><![CDATA[.a { fill: url("#a") }]]></style><image href="data:image/png;base64,AA=="/>'),
    ],
  ])('of %s is one', (type, bytes) => {
    expect(parsePicture(type, bytes)).toEqual({ mimeType: type.split(';')[0]?.toLowerCase(), bytes })
  })

  it.each([
    ['', bytesOf('GIF89a')],
    ['text/html', bytesOf('<script>1</script>')],
    ['application/octet-stream', bytesOf('GIF89a')],
    ['image/png', bytesOf('GIF89a')],
    ['image/png', bytesOf('')],
    ['image/webp', bytesOf('RIFF\0\0\0\0WAVE')],
    ['image/gif', bytesOf('<svg/>')],
  ])('trap-51: of the type "%s" is none where its bytes do not say the same', (type, bytes) => {
    expect(() => parsePicture(type, bytes)).toThrow('Cannot show it')
  })

  it.each([
    '<script>1</script>',
    '<svg:script>1</svg:script>',
    '<SCRIPT href="#a"/>',
    '<a href="javascript:1">x</a>',
    '<a href="java&#115;cript:1">x</a>',
    '<rect onload="1"/>',
    '<rect/onload=1>',
    '<rect fill="a"onclick = "1"/>',
    '<foreignObject><p/></foreignObject>',
    '<iframe src="#a"/>',
    '<img src="#a">',
    '<image href="https://elsewhere.example/i.png"/>',
    "<image xlink:href = '//elsewhere.example/i.png'/>",
    '<image href=https://elsewhere.example />',
    '<image href="data:image/svg+xml,x"/>',
    '<rect fill="url(https://elsewhere.example/#a)"/>',
    '<style>@import "x";</style>',
    '<style>.a { fill: u\\72l(https://elsewhere.example) }</style>',
    '<text>&own;</text>',
  ])('abuse-47: with %s in it is none', (inside) => {
    expect(() => parsePicture('image/svg+xml', svg(inside))).toThrow('not a harmless one')
  })

  it.each([
    svg('', '<!DOCTYPE svg [<!ENTITY own "x">]>'),
    svg('', '<?xml version="1.0" encoding="utf-7"?>'),
    svg('', '<?xml-stylesheet href="#a"?>'),
    svg('\xff'),
    bytesOf('<html></html>'),
  ])('abuse-47: of which nobody can say what it does is none (%#)', (bytes) => {
    expect(() => parsePicture('image/svg+xml', bytes)).toThrow('not a harmless one')
  })
})
