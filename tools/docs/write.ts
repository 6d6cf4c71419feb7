// Writes all generated pages of docs/, and the schema of the plugin.

import { writeFileSync } from "node:fs";
import { schemaText } from "../plugin/schema";
import { schemaPath } from "../plugin/schema-path";
import { generatedPages } from "./pages";

for (const { path, content } of generatedPages) {
  writeFileSync(path, content());
}
writeFileSync(schemaPath, schemaText());
