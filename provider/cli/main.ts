// What `pulumi-agb` runs.

import { createProgram } from "./program";

void createProgram().parseAsync();
