import { join } from "node:path";

/** The file that holds the schema, without version and address of downloads: the build of a plugin adds those. */
export const schemaPath = join(__dirname, "..", "..", "schema.json");
