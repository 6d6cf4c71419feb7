// To be imported by each file of engine tests: where no Pulumi CLI is installed yet the first of them builds one, which takes
// minutes and must not count against the time of a test.

import { pulumiCli } from "./pulumi-cli";

beforeAll(async () => {
  await pulumiCli();
}, 900_000);
