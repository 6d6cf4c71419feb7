import "../support/await-pulumi-cli";
import { startTestEmulator, testKey } from "../support/agb-emulator";
import { closeAfterTest } from "../support/close-after-test";
import { createPulumiProject, javascriptFiles } from "../support/pulumi-project";
import { changesIn, sessionIdsOf } from "../support/stack-state";

jest.setTimeout(600_000);

test("explicit providers create sessions in two accounts, also inside a component, and a new key replaces none", async () => {
  const storefront = await startTestEmulator({ apiKeys: ["storefront-key-1"] });
  const research = await startTestEmulator({ apiKeys: ["research-key-1"] });
  const project = closeAfterTest(await createPulumiProject({ example: "several-accounts" }));
  await project.configure({
    storefrontKey: { secret: "storefront-key-1" },
    storefrontEndpoint: storefront.url,
    researchKey: { secret: "research-key-1" },
    researchEndpoint: research.url,
  });
  await project.up();
  const { sessionIds } = await project.outputs();
  const inStorefront = Object.fromEntries(storefront.sessions().map(({ sessionId, labels }) => [sessionId, labels]));
  expect(inStorefront).toEqual({
    [sessionIds.checkout.code]: expect.objectContaining({ account: "storefront", bench: "checkout" }),
    [sessionIds.checkout.browser]: expect.objectContaining({ account: "storefront", bench: "checkout" }),
  });
  expect(research.sessions()).toEqual([
    expect.objectContaining({
      sessionId: sessionIds.notebook,
      labels: expect.objectContaining({ account: "research" }),
    }),
  ]);

  // A proper rotation: for a while both keys are valid.
  storefront.setApiKeys(["storefront-key-1", "storefront-key-2"]);
  await project.configure({ storefrontKey: { secret: "storefront-key-2" } });
  expect(changesIn((await project.up()).stdout)).toEqual({ updated: 1, unchanged: 7 });
  expect(await project.outputs()).toEqual({ sessionIds });

  // A hasty rotation: the key in the state is no longer valid, but the one in the configuration is.
  storefront.setApiKeys(["storefront-key-3"]);
  await project.configure({ storefrontKey: { secret: "storefront-key-3" } });
  const { stdout } = await project.up("--run-program");
  expect(changesIn(stdout)).toEqual({ updated: 1, unchanged: 7 });
  expect(await project.outputs()).toEqual({ sessionIds });

  await project.destroy();
  expect([...storefront.sessions(), ...research.sessions()]).toEqual([]);
  expect(project.transcript()).not.toMatch(/(storefront|research)-key-\d/);
});

function program(timeoutMs: number): string {
  return `
    const { AgbProvider, AgbSession } = require("pulumi-agb");
    const explicit = new AgbProvider("explicit", {
      apiKey: "explicit-key",
      endpoint: process.env.EXPLICIT_ENDPOINT,
      timeoutMs: ${timeoutMs},
    });
    const mapped = new AgbProvider("mapped", {}, {
      envVarMappings: { MAPPED_KEY: "AGB_API_KEY", MAPPED_ENDPOINT: "AGB_ENDPOINT" },
    });
    const args = { imageId: "agb-code-space-1" };
    new AgbSession("of-explicit", args, { provider: explicit });
    new AgbSession("of-mapped", args, { provider: mapped });
    new AgbSession("of-stack", args);
  `;
}

test("an explicit provider wins over the stack's configuration, which wins over the environment", async () => {
  const explicit = await startTestEmulator({ apiKeys: ["explicit-key"] });
  const mapped = await startTestEmulator({ apiKeys: ["mapped-key"] });
  const stack = await startTestEmulator();
  const environment = await startTestEmulator({ apiKeys: ["environment-key"] });
  const project = closeAfterTest(
    await createPulumiProject({
      files: javascriptFiles(program(5_000)),
      environment: {
        AGB_API_KEY: "environment-key",
        AGB_ENDPOINT: environment.url,
        MAPPED_KEY: "mapped-key",
        MAPPED_ENDPOINT: mapped.url,
        EXPLICIT_ENDPOINT: explicit.url,
      },
    }),
  );
  await project.configure({ "agb:apiKey": { secret: testKey }, "agb:endpoint": stack.url, "agb:timeoutMs": "20000" });
  await project.up();
  const ids = sessionIdsOf(await project.exportState());
  for (const [name, emulator] of Object.entries({ explicit, mapped, stack })) {
    expect(emulator.sessions().map(({ sessionId }) => sessionId)).toEqual([ids[`of-${name}`]]);
  }
  expect(environment.requests()).toEqual([]);

  await project.write("index.js", program(6_000));
  await project.configure({ "agb:timeoutMs": "30000" });
  await project.up();
  const state = await project.exportState();
  expect(sessionIdsOf(state)).toEqual(ids);
  // The state holds no value of a mapped variable, and no explicit key in clear.
  expect(JSON.stringify(state)).not.toMatch(/mapped-key|explicit-key|environment-key/);

  await project.destroy();
  for (const emulator of [explicit, mapped, stack]) {
    expect(emulator.sessions()).toEqual([]);
    expect(emulator.requestCounts().createSession).toBe(1);
  }
});
