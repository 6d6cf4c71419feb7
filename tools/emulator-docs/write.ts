// Writes docs/emulator.md.

import { writeFileSync } from "node:fs";
import { emulatorPage, emulatorPagePath } from "./emulator-page";

writeFileSync(emulatorPagePath, emulatorPage());
