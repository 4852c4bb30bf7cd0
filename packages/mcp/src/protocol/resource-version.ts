/**
 * Which state of a resource was listed or read, in `_meta` under keys of our own: the protocol has a place for the time
 * of the last change (`annotations.lastModified`) and for the size, and none for the rest.
 */

/** Of a listed resource and of contents: a text that is another one whenever the contents are. */
export const ETAG = 'crosspoint/etag'
/** Of a listed resource and of contents: the author's own name or number for this state. */
export const REVISION = 'crosspoint/revision'
/** Of contents: when they last changed, as ISO 8601. A listed resource says it in `annotations.lastModified`. */
export const LAST_MODIFIED = 'crosspoint/lastModified'
/** Of a read: the {@link ETAG} the caller has. Contents that are still those come back without their text or bytes. */
export const IF_NONE_MATCH = 'crosspoint/ifNoneMatch'
/** Of contents: true where they were left out, since the caller has them. */
export const NOT_MODIFIED = 'crosspoint/notModified'
