// AGB's own Python SDK in a session that got files and a command from the real Pulumi engine.

import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import "../support/await-pulumi-cli";
import { closeAfterTest } from "../support/close-after-test";
import { createPulumiProject, javascriptFiles } from "../support/pulumi-project";
import { changesIn } from "../support/stack-state";
import { testWithPython, usePythonSdk } from "./python-sdk";

jest.setTimeout(600_000);

const sdk = usePythonSdk();
const folder = "/home/user/app";

const program = `
  const pulumi = require("@pulumi/pulumi");
  const { AgbCommand, AgbFile, AgbSession } = require("pulumi-agb");
  const { sessionId } = new AgbSession("web", { imageId: "agb-code-space-1" });
  const { FileArchive, StringAsset } = pulumi.asset;
  const app = new AgbFile("app", { sessionId, source: new FileArchive("./app"), path: ${JSON.stringify(folder)} });
  new AgbFile("secret", {
    sessionId,
    source: pulumi.secret("for the owner").apply((text) => new StringAsset(text)),
    path: ${JSON.stringify(`${folder}/secret.txt`)},
    permissions: "0600",
  });
  new AgbCommand("write", { sessionId, create: "echo by a command >written.txt", triggers: [app.contentHash] });
  exports.sessionId = sessionId;
`;

testWithPython("the SDK reads what Pulumi put there, and what the SDK changes, the next up repairs", async () => {
  const project = closeAfterTest(
    await createPulumiProject({
      files: javascriptFiles(program),
      environment: { AGB_ENDPOINT: sdk.target.endpoint, AGB_API_KEY: sdk.target.apiKey },
    }),
  );
  const local = join(project.directory, "app");
  mkdirSync(join(local, "names"), { recursive: true });
  writeFileSync(join(local, "names/a b'ü.txt"), "content ü\n");
  writeFileSync(join(local, "run.sh"), "#!/bin/sh\necho executed\n");
  chmodSync(join(local, "run.sh"), 0o755);
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
  writeFileSync(join(local, "bytes.bin"), Buffer.concat(Array.from({ length: 1_000 }, () => bytes)));
  const names = "bytes.bin names run.sh secret.txt";
  try {
    await project.up();
    const { sessionId } = await project.outputs();
    const variables = { SESSION_ID: sessionId, FOLDER: folder, WRITTEN: "/home/user/written.txt" };
    await sdk.run("files_of_pulumi", { ...variables, NAMES: names });
    expect(changesIn((await project.up()).stdout)).toMatchObject({ updated: 1 });
    await sdk.run("files_of_pulumi", { ...variables, NAMES: `${names} theirs.txt` });
  } finally {
    await project.destroy();
  }
});
