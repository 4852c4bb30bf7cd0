/** Extensions by the id under which both sides announce them in `capabilities.extensions`. */

/** Long work with a handle (SEP-2663). */
export const TASKS = 'io.modelcontextprotocol/tasks'
/** Folders of instructions for models (SEP-2640). */
export const SKILLS = 'io.modelcontextprotocol/skills'
/** User interfaces that come with tools (MCP Apps, SEP-1865). */
export const UI = 'io.modelcontextprotocol/ui'
