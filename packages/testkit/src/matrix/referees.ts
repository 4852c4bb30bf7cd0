import { createReferee, type Referee } from '../referee/index.ts'

const referees = new Map<string, Referee | undefined>()

/** The referee of a revision: read once, as its schema takes longer to read than a whole cell takes. */
export function refereeOf(revision: string): Referee | undefined {
  if (!referees.has(revision)) referees.set(revision, createReferee(revision))
  return referees.get(revision)
}
