import { z } from 'zod'
import { defineOperation } from './operation.ts'
import { moment } from './shapes.ts'

export const listPrincipals = defineOperation({
  tag: 'callers',
  summary: 'Who showed a good key or token lately, newest first',
  about: 'The last 1,000 of this process, to within the time for which a credential is not looked up again.',
  role: 'viewer',
  answer: z.object({
    principals: z.array(
      z.object({
        tenant: z.string(),
        id: z.string(),
        credential: z.enum(['key', 'token']),
        key: z.string().describe('Its id, where it was a key.').optional(),
        roles: z.array(z.string()),
        scopes: z.array(z.string()).describe('Absent: it is bound by none.').optional(),
        seenAt: moment,
      }),
    ),
  }),
})
