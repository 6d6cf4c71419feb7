// Import this in each file of engine tests. If no Pulumi CLI is installed, the first file builds one. That takes minutes and
// must not count towards a test's time limit.

import { pulumiCli } from "./pulumi-cli";

beforeAll(async () => {
  await pulumiCli();
}, 900_000);
