// Writes all generated pages of docs/.

import { writeFileSync } from "node:fs";
import { generatedPages } from "./pages";

for (const { path, content } of generatedPages) {
  writeFileSync(path, content());
}
