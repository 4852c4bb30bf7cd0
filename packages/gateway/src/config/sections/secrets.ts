import { z } from 'zod'
import { SECRET_NAME } from '../secret-marks.ts'
import { section, text, texts } from './shapes.ts'

const NAME_RULE = 'A name has 1 to 64 of letters, digits, "_", "-" and ".", and begins with a letter or digit'

const secret = z
  .strictObject(
    {
      env: text.describe('The environment variable that holds it.').optional(),
      file: text
        .describe('The file that holds it, relative to this file; a line break at its end is no part of it.')
        .optional(),
      vault: text
        .regex(SECRET_NAME, NAME_RULE)
        .describe('Its name in the vault, where `crosspoint secrets set` puts it.')
        .optional(),
    },
    { error: 'Must be a mapping with "env", "file" or "vault"' },
  )
  .describe('Where a secret is: one of `env`, `file` and `vault`.')

export const secrets = z
  .record(z.string().regex(SECRET_NAME, NAME_RULE), secret, { error: 'Must be a mapping from names to secrets' })
  .default({})
  .describe('Secrets by name: `${secret:name}` in `env`, `headers` and `auth` of a server stands for one.')

export const vault = section(
  {
    key: text.describe('The key of the vault: 32 bytes as base64 or hexadecimal. A secret.').optional(),
    keyFile: text
      .describe(
        'A file that holds the key, relative to this file. Default: crosspoint/vault.key in your configuration folder, made where it is not there.',
      )
      .optional(),
    previousKeys: texts.default([]).describe('Keys of before: they still open what was closed with them. Secrets.'),
    previousKeyFiles: texts.default([]).describe('Files that hold keys of before.'),
  },
  'What the store keeps encrypted (secrets, sign-ins of callers) is opened with these keys.',
)
