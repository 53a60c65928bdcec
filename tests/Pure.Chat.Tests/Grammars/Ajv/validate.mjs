// Reads lines of {"schema": …, "text": …} and writes a line for each text that ajv finds is not JSON or does not validate.
import Ajv from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { createInterface } from "node:readline";

for await (const line of createInterface({ input: process.stdin })) {
    const { schema, text } = JSON.parse(line);
    const ajv = new Ajv({ strict: false, logger: false });
    addFormats(ajv);
    try {
        const validate = ajv.compile(schema);
        if (!validate(JSON.parse(text)))
            console.log(JSON.stringify({ text, errors: validate.errors, schema }));
    } catch (error) {
        console.log(JSON.stringify({ text, error: String(error), schema }));
    }
}
