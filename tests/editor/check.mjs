// Asks ajv about every document that the schemas must take or refuse; exits 1 where it sees one otherwise.
//
//   python tests/editor/editor_documents.py | node tests/editor/check.mjs
import { readFileSync } from "node:fs";
import { Ajv } from "ajv";

// Strict: an unknown keyword, or one that does not fit its type, is an error in the schema.
const ajv = new Ajv({ strict: true, allowUnionTypes: true, allErrors: true });
ajv.addVocabulary(["enumDescriptions", "patternErrorMessage"]);

const judges = new Map();
for (const name of ["definition", "overlay", "defaults", "settings"]) {
  const file = new URL(`../../docs/schema/${name}.schema.json`, import.meta.url);
  judges.set(name, ajv.compile(JSON.parse(readFileSync(file, "utf8"))));
}

const documents = JSON.parse(readFileSync(0, "utf8"));
let wrong = 0;
for (const { schema, name, value, good } of documents) {
  const judge = judges.get(schema);
  if (judge(value) === good) continue;
  wrong += 1;
  const why = good ? ajv.errorsText(judge.errors) : "it was taken";
  console.error(`${schema}: ${name}: should be ${good ? "taken" : "refused"}, but ${why}`);
}
const bad = documents.filter(({ good }) => !good).length;
console.log(`ajv: ${documents.length - bad} good and ${bad} bad documents, ${wrong} seen otherwise`);
process.exitCode = wrong > 0 || bad === 0 || bad === documents.length ? 1 : 0;
