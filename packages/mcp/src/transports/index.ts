export type { Channel, ChannelEvents } from './channel.ts'
export type { Endpoint, EndpointEvent } from './endpoint.ts'
