/** A value as it comes: in JSON what is not there is absent, and nobody changes it. */
export type Received<T> = T extends readonly (infer Item)[]
  ? readonly Received<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: Received<Exclude<T[Key], undefined>> }
    : T
