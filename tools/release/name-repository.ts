// Writes the address of the repository into package.json. `npm run release` does this before it publishes.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { repositoryFields } from "./repository";

const path = join(__dirname, "..", "..", "package.json");
const manifest = JSON.parse(readFileSync(path, "utf8")) as object;
writeFileSync(path, `${JSON.stringify({ ...manifest, ...repositoryFields(process.env) }, undefined, 2)}\n`);
