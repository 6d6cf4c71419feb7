// A user's unit test of a program: Pulumi's own mocks, as its documentation shows them.

import * as pulumi from "@pulumi/pulumi";
import {
  AgbCommand,
  AgbContext,
  AgbFile,
  AgbProvider,
  AgbSession,
  getAgbContextOutput,
  getAgbSession,
  getAgbSessionLinkOutput,
  getAgbSessions,
  getAgbSessionUrl,
  PreviewEnvironment,
} from "../../provider";
import { outputValue } from "../support/pulumi-program";

beforeEach(() =>
  pulumi.runtime.setMocks(
    { newResource: ({ name, inputs }) => ({ id: `${name}-id`, state: inputs }), call: ({ inputs }) => inputs },
    "shop",
    "dev",
  ),
);

test("a session under mocks has its declared outputs, an id and the owner's labels", async () => {
  const web = new AgbSession("web", { imageId: "agb-code-space-1", labels: { team: "storefront" } });
  expect(await outputValue(web.sessionId)).toBe("web-id");
  expect(await outputValue(web.imageId)).toBe("agb-code-space-1");
  expect(await outputValue(web.labels)).toEqual({ team: "storefront" });
  expect(await outputValue(web.released)).toBe(false);
  expect(await outputValue(web.idleTimeoutSeconds)).toBeUndefined();
  expect(await outputValue(web.labelsAll)).toEqual({
    team: "storefront",
    "pulumi-project": "shop",
    "pulumi-stack": "dev",
    "pulumi-stack-id": "agb-id",
    "pulumi-resource": "web",
  });
});

test("a session that mounts a context, with a provider of its own, works under mocks", async () => {
  const provider = new AgbProvider("europe", { apiKey: pulumi.secret("key") });
  const cache = new AgbContext("cache", { name: "build-cache" }, { provider });
  const mounts = [{ contextId: cache.contextId, path: "/home/user/cache" }];
  const web = new AgbSession("web", { imageId: "agb-code-space-1", contextSyncs: mounts }, { provider });
  expect(await outputValue(cache.name)).toBe("build-cache");
  expect(await outputValue(web.contextSyncs)).toEqual([{ contextId: "cache-id", path: "/home/user/cache" }]);
});

test("a command works under mocks, also below a parent", async () => {
  const parent = new pulumi.ComponentResource("shop:index:Site", "site");
  const build = new AgbCommand("build", { sessionId: "session-1", create: "true" }, { parent });
  expect(await outputValue(build.sessionId)).toBe("session-1");
});

test("the outputs of a command under mocks are what the mocks return", async () => {
  pulumi.runtime.setMocks(
    {
      newResource: ({ name, inputs }) => ({ id: `${name}-id`, state: { ...inputs, stdout: "12", exitCode: 0 } }),
      call: ({ inputs }) => inputs,
    },
    "shop",
    "dev",
  );
  const build = new AgbCommand("build", { sessionId: "session-1", create: "echo 12" });
  expect(await outputValue(build.stdout)).toBe("12");
  expect(await outputValue(build.exitCode)).toBe(0);
});

test.each([
  ["a file", new pulumi.asset.FileAsset("./no/such/file")],
  ["a string", new pulumi.asset.StringAsset("content")],
  ["a secret string", pulumi.secret(new pulumi.asset.StringAsset("content"))],
  ["a folder", new pulumi.asset.FileArchive("./no/such/folder")],
  ["a set of files", new pulumi.asset.AssetArchive({ "a.txt": new pulumi.asset.StringAsset("a") })],
])("%s for a session works under mocks, which read nothing from the disk", async (_, source) => {
  const web = new AgbSession("web", { imageId: "agb-code-space-1" });
  const file = new AgbFile("app", { sessionId: web.sessionId, source, path: "/home/user/app", permissions: "0600" });
  expect(await outputValue(file.sessionId)).toBe("web-id");
  expect(await outputValue(file.path)).toBe("/home/user/app");
  expect(await outputValue(file.permissions)).toBe("0600");
  expect(await outputValue(file.contentHash)).toBe("");
  const check = new AgbCommand("check", {
    sessionId: web.sessionId,
    create: "ls app",
    triggers: [file.contentHash],
  });
  expect(await outputValue(check.id)).toBe("check-id");
});

test("a preview environment with all its parts works under mocks", async () => {
  const preview = new PreviewEnvironment("preview", {
    imageId: "agb-code-space-1",
    labels: { team: "storefront" },
    cache: { path: "/home/user/cache" },
    files: { "/home/user/app": new pulumi.asset.FileArchive("./no/such/folder") },
    setup: ["npm ci"],
    app: { command: "npm start", port: 30_100 },
  });
  expect(await outputValue(preview.sessionId)).toBe("preview-session-id");
  expect(await outputValue(preview.labels)).toMatchObject({ team: "storefront", project: "shop" });
  // The next test has other mocks, which do not know this component.
  await pulumi.runtime.disconnect();
});

test("resources that are only looked up work under mocks", async () => {
  expect(await outputValue(AgbSession.get("web", "session-1").sessionId)).toBe("session-1");
  expect(await outputValue(AgbContext.get("cache", "context-1").contextId)).toBe("context-1");
});

test("under mocks, look-ups get their answers from the mocks, and no request leaves the process", async () => {
  const calls: pulumi.runtime.MockCallArgs[] = [];
  const answers: Readonly<Record<string, object>> = {
    "agb:index:getSession": { sessionId: "session-1", labels: { team: "web" } },
    "agb:index:getSessions": { sessions: [], sessionIds: ["session-1"] },
    "agb:index:getContext": { contextId: "context-1", name: "cache" },
    "agb:index:getSessionUrl": { sessionId: "session-1", url: "https://url" },
    "agb:index:getSessionLink": { sessionId: "session-1", url: "https://link" },
  };
  pulumi.runtime.setMocks(
    {
      newResource: ({ name, inputs }) => ({ id: `${name}-id`, state: inputs }),
      call: (call) => {
        calls.push(call);
        return answers[call.token] ?? {};
      },
    },
    "shop",
    "dev",
  );
  const provider = new AgbProvider("europe", { apiKey: pulumi.secret("key"), endpoint: "http://127.0.0.1:1" });
  const parent = new pulumi.ComponentResource("shop:Bench", "bench", {}, { providers: [provider] });
  const web = new AgbSession("web", { imageId: "agb-code-space-1" });
  const url = await getAgbSessionUrl({ sessionId: "session-1" });
  const shown = [
    (await getAgbSession({ sessionId: "session-1" }, { parent })).labels,
    (await getAgbSessions()).sessionIds,
    (await outputValue(getAgbContextOutput({ name: pulumi.output("cache") }))).contextId,
    await outputValue(url.url),
    await outputValue(getAgbSessionLinkOutput({ sessionId: web.sessionId, port: 30_100 }).url),
    await outputValue(web.link(30_101, "wss")),
    await outputValue(web.resourceUrl),
  ];
  expect(shown).toEqual([
    { team: "web" },
    ["session-1"],
    "context-1",
    "https://url",
    "https://link",
    "https://link",
    "https://url",
  ]);
  expect(calls.map(({ token, inputs }) => [token.replace("agb:index:", ""), inputs])).toEqual([
    ["getSessionUrl", { sessionId: "session-1" }],
    ["getSession", { sessionId: "session-1" }],
    ["getSessions", {}],
    ["getContext", { name: "cache" }],
    ["getSessionLink", { sessionId: "web-id", port: 30_100 }],
    ["getSessionLink", { sessionId: "web-id", port: 30_101, protocol: "wss" }],
    ["getSessionUrl", { sessionId: "web-id" }],
  ]);
  expect(calls[1]?.provider).toContain("pulumi:providers:pulumi-nodejs::europe");
});
