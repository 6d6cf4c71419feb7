// Writes docs/emulator.md anew.

import { writeFileSync } from "node:fs";
import { emulatorPage, emulatorPagePath } from "./emulator-page";

writeFileSync(emulatorPagePath, emulatorPage());
