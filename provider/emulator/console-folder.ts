import { join } from "node:path";

/** The folder of the console page's files. This file must stay in the emulator's main folder, as `dist` has the page there. */
export const consoleFolder = join(__dirname, "console");
