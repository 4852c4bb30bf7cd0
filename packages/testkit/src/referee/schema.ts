import { Ajv2020 } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'

/**
 * Judges values by the schemas of a document of ours, such as an OpenAPI document, by somebody else's validator.
 * @returns what is wrong with a value by the schema at a pointer (`#/components/schemas/Key`), or undefined
 */
export function createSchemaJudge(document: object): (pointer: string, value: unknown) => string | undefined {
  const ajv = new Ajv2020({ strict: false, allErrors: false })
  formats.default(ajv)
  ajv.addSchema({ ...document, $id: 'document' })
  return (pointer, value) => {
    const validate = ajv.getSchema(`document${pointer}`)
    if (validate === undefined) throw new Error(`The document has nothing at "${pointer}"`)
    return validate(value) === true ? undefined : ajv.errorsText(validate.errors, { dataVar: 'value' })
  }
}
