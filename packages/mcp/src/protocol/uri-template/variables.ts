/** What one variable stands for: a text, or of an exploded one (`{/path*}`, `{?tag*}`) a list or a map. */
export type UriValue = string | readonly string[] | Readonly<Record<string, string>>

/** Decoded, and as hostile as the caller: a `{+path}` may well hold `../`. */
export type UriVariables = Readonly<Record<string, UriValue>>

/**
 * The variables of a template that is written out: `{id}` is a text and `{/path*}` a list. Pairs (`{?q}`) may be missing,
 * and an exploded one is a list or a map, as the caller likes.
 */
export type UriVariablesOf<Template extends string> = string extends Template
  ? UriVariables
  : Flat<Needed<PlainSpecs<Expressions<Template>>> & Optional<PairSpecs<Expressions<Template>>>>

type Expressions<Template extends string, Found = never> = Template extends `${string}{${infer Body}}${infer Rest}`
  ? Expressions<Rest, Found | Body>
  : Found

type PairSpecs<Body> = Body extends `${'?' | '&' | ';'}${infer List}` ? Split<List> : never
type PlainSpecs<Body> = Body extends `${'?' | '&' | ';'}${string}`
  ? never
  : Body extends `${'+' | '#' | '.' | '/'}${infer List}`
    ? Split<List>
    : Body extends string
      ? Split<Body>
      : never

type Split<List extends string, Found = never> = List extends `${infer First},${infer Rest}`
  ? Split<Rest, Found | First>
  : Found | List

type NameOf<Spec> = Spec extends `${infer Name}*` ? Name : Spec extends `${infer Name}:${string}` ? Name : Spec

type Needed<Specs extends string> = {
  readonly [Spec in Specs as NameOf<Spec> & string]: Spec extends `${string}*` ? readonly string[] : string
}
type Optional<Specs extends string> = {
  readonly [Spec in Specs as NameOf<Spec> & string]?:
    | (Spec extends `${string}*` ? readonly string[] | Readonly<Record<string, string>> : string)
    | undefined
}
type Flat<Variables> = { [Name in keyof Variables]: Variables[Name] }
