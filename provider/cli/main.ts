// The command `pulumi-agb`. Each subcommand has a file of its own. This folder may import every layer except dynamic/ and
// resources/.

import { createProgram } from "./program";

void createProgram().parseAsync();
