import { deepEqual } from "node:assert/strict";
import { before, test } from "node:test";
import * as pulumi from "@pulumi/pulumi";

let program: typeof import("./index.js");

// Mocks take the place of Pulumi and AGB, so this test needs neither.
before(async () => {
  await pulumi.runtime.setMocks(
    {
      newResource: ({ name, inputs }) => ({ id: `${name}-id`, state: inputs }),
      call: ({ inputs }) => inputs,
    },
    "shop",
    "dev",
  );
  program = await import("./index.js");
});

test("the sandbox carries the names of its project and stack", async () => {
  const labels = await new Promise((resolve) => program.labels.apply(resolve));
  deepEqual(labels, { project: "shop", environment: "dev" });
});
