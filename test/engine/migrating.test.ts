// The steps of docs/migrating.md, from a dynamic provider whose code is in the state.

import "../support/await-pulumi-cli";
import { findBlocksOfTest } from "../docs/code-blocks";
import { startTestEmulator, testKey } from "../support/agb-emulator";
import { closeAfterTest } from "../support/close-after-test";
import { createPulumiProject, javascriptFiles } from "../support/pulumi-project";
import { changesIn } from "../support/stack-state";

jest.setTimeout(180_000);

/** A program with a provider as people write it by hand. */
function handWritten(options: object): string {
  return `
    const pulumi = require("@pulumi/pulumi");
    const { AGB_ENDPOINT: endpoint, AGB_API_KEY: key } = process.env;
    async function call(operation, query, body) {
      const headers = { authorization: "Bearer " + key, "content-type": "application/json" };
      const url = endpoint + "/mcp/" + operation + "?" + new URLSearchParams(query);
      const reply = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
      return (await reply.json()).data;
    }
    const provider = {
      async create({ image, tags }) {
        const { sessionId } = await call("createSession", { imageId: image }, { labels: JSON.stringify(tags) });
        return { id: sessionId, outs: { image, tags } };
      },
      async delete(sessionId) {
        await call("releaseSessionAsync", {}, { sessionId });
      },
    };
    class Sandbox extends pulumi.dynamic.Resource {
      constructor(name, args, opts) {
        super(provider, name, args, opts);
      }
    }
    const web = new Sandbox("web", { image: "agb-code-space-1", tags: { team: "storefront" } }, ${JSON.stringify(options)});
    exports.sessionId = web.id;
  `;
}

test("a session of a dynamic provider with its code in the state is handed over, and keeps running", async () => {
  const emulator = await startTestEmulator();
  const project = closeAfterTest(
    await createPulumiProject({
      files: javascriptFiles(handWritten({ retainOnDelete: true })),
      environment: { AGB_API_KEY: testKey, AGB_ENDPOINT: emulator.url },
    }),
  );
  await project.up();
  const { sessionId } = await project.outputs();
  expect(JSON.stringify(await project.exportState())).toContain("releaseSessionAsync");

  const [block, ...others] = findBlocksOfTest("test/engine/migrating.test.ts");
  expect(others).toEqual([]);
  const program = (block?.code ?? "")
    .replace("import { AgbSession } from", "const { AgbSession } = require(")
    .replace('"pulumi-agb";', '"pulumi-agb");')
    .replace("export const sessionId", "exports.sessionId")
    .replace(/session-[a-z0-9]{25}/, sessionId);
  await project.write("index.js", program);
  const { stdout } = await project.up();
  expect(changesIn(stdout)).toEqual({ created: 2, deleted: 1, unchanged: 1 });
  expect(stdout).toContain("[retain]");
  expect(await project.outputs()).toEqual({ sessionId });
  expect(emulator.sessions()).toMatchObject([{ sessionId, labels: { team: "storefront", "pulumi-resource": "web" } }]);
  expect(emulator.requestCounts().createSession).toBe(1);
  expect(JSON.stringify(await project.exportState())).not.toContain("releaseSessionAsync");

  await project.write("index.js", program.replace(/^ {2}adopt:.*\n/m, ""));
  await project.up();
  expect(emulator.sessions()).toMatchObject([{ sessionId }]);
  await project.destroy();
  expect(emulator.sessions()).toEqual([]);
});
