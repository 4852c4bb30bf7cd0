export type { Channel, ChannelEvents } from './channel.ts'
export type { Endpoint, EndpointEvent } from './endpoint.ts'
export type { MemoryPipeOptions } from './memory/pipe.ts'
export { createMemoryPipe } from './memory/pipe.ts'
