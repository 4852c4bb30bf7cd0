import { type Expression, isExpression, type Operator, type Part, type Variable } from './expression.ts'

/** What matching walks over: fixed text, one variable, or pairs, which may come in any order. */
export type Step = TextStep | VariableStep | PairsStep

export interface TextStep {
  readonly kind: 'text'
  readonly text: string
  /** How much of its beginning is also the end of what it has up to each place (Knuth, Morris and Pratt). */
  readonly borders: readonly number[]
}

export interface VariableStep {
  readonly kind: 'variable'
  readonly variable: Variable
  /** Between the members of a list. */
  readonly separator: string
  /** Characters it cannot hold. */
  readonly barred: string
}

export interface PairsStep {
  readonly kind: 'pairs'
  /** What they may begin with. */
  readonly firsts: string
  readonly separator: string
  readonly barred: string
  readonly variables: readonly Variable[]
}

export function toSteps(parts: readonly Part[]): readonly Step[] {
  const steps: Step[] = []
  for (const part of parts) {
    if (!isExpression(part)) steps.push(toText(part))
    else if (!part.operator.named) steps.push(...toVariables(part))
    else {
      const last = steps.at(-1)
      // `{?a}{&b}` is read as the one query it makes.
      if (last?.kind === 'pairs' && goOn(last, part.operator)) steps[steps.length - 1] = join(last, part)
      else steps.push(toPairs(part))
    }
  }
  return steps
}

function toVariables({ operator, variables }: Expression): readonly Step[] {
  return variables.flatMap((variable, index) => {
    const { separator } = operator
    const before = index === 0 ? operator.first : separator
    const taken = variable.exploded ? '' : variables.length > 1 ? separator : ''
    // A list may hold what parts its members, and its members what parts nothing else.
    const segment = separator === '/' && variable.exploded ? '?#' : `/?#${taken}`
    const step = { kind: 'variable', variable, separator, barred: operator.reserved ? '' : segment } as const
    return before === '' ? [step] : [toText(before), step]
  })
}

function toPairs({ operator: { first, separator }, variables }: Expression): PairsStep {
  return { kind: 'pairs', firsts: first, separator, barred: separator === '&' ? '#' : '/?#', variables }
}

function goOn({ separator }: PairsStep, operator: Operator): boolean {
  return operator.separator === separator && operator.first !== '?'
}

function join(step: PairsStep, { operator, variables }: Expression): PairsStep {
  return { ...step, firsts: step.firsts + operator.first, variables: [...step.variables, ...variables] }
}

function toText(text: string): TextStep {
  const borders = [0]
  for (let at = 1, border = 0; at < text.length; at++) {
    while (border > 0 && text[at] !== text[border]) border = borders[border - 1] ?? 0
    if (text[at] === text[border]) border++
    borders.push(border)
  }
  return { kind: 'text', text, borders }
}
