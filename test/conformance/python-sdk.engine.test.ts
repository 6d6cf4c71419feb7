// AGB's own Python SDK beside the real Pulumi engine, against the same service as `python-sdk.test.ts`.

import { randomUUID } from "node:crypto";
import "../support/await-pulumi-cli";
import { closeAfterTest } from "../support/close-after-test";
import { createPulumiProject, javascriptFiles } from "../support/pulumi-project";
import { testWithPython, usePythonSdk } from "./python-sdk";

jest.setTimeout(600_000);

const sdk = usePythonSdk();

/** One context, and a session that mounts it unless it is left out. */
function program(contextName: string, path: string, hasSession: boolean): string {
  return `
    const { AgbContext, AgbSession } = require("pulumi-agb");
    const data = new AgbContext("data", { name: ${JSON.stringify(contextName)}, forceDestroy: true });
    exports.contextId = data.contextId;
    if (${hasSession}) {
      const contextSyncs = [{ contextId: data.contextId, path: ${JSON.stringify(path)} }];
      exports.sessionId = new AgbSession("web", { imageId: "agb-code-space-1", contextSyncs }).sessionId;
    }
  `;
}

testWithPython("the SDK finds the mount and the files of sessions that pulumi up creates with a context", async () => {
  const contextName = `conformance-${randomUUID()}`;
  const path = "/home/user/data";
  const project = closeAfterTest(
    await createPulumiProject({
      files: javascriptFiles(program(contextName, path, true)),
      environment: { AGB_ENDPOINT: sdk.target.endpoint, AGB_API_KEY: sdk.target.apiKey },
    }),
  );
  try {
    await project.up();
    const first = await project.outputs();
    const variables = { CONTEXT_NAME: contextName, CONTEXT_ID: first["contextId"], MOUNT_PATH: path };
    const firstSession = { ...variables, SESSION_ID: first["sessionId"] };
    await sdk.run("mounted_session", { ...firstSession, NEW_FILE: "first.txt" });

    await project.write("index.js", program(contextName, path, false));
    await project.up();
    await sdk.run("mounted_files", { ...firstSession, EXPECTED_FILE: "first.txt" });

    await project.write("index.js", program(contextName, path, true));
    await project.up();
    const { sessionId } = await project.outputs();
    const secondSession = { ...variables, SESSION_ID: sessionId, EXPECTED_FILE: "first.txt", NEW_FILE: "second.txt" };
    await sdk.run("mounted_session", secondSession);
  } finally {
    await project.destroy();
  }
});
