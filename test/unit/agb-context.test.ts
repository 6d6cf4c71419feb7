import * as pulumi from "@pulumi/pulumi";
import { AgbContext, AgbSession } from "../../provider";
import { providerReference } from "../../provider/resources/reference";
import { outputValue, runProgram, secret } from "../support/pulumi-program";

const type = "pulumi-nodejs:dynamic/agb:AgbContext";
const __provider = providerReference("context");

test("a context is registered as declared, with the name that its resource has", async () => {
  const args = { name: "build-cache", adopt: true, forceDestroy: false, timeouts: { delete: 60 } };
  const run = await runProgram(() => new AgbContext("cache", args));
  expect(run.registration("cache")).toMatchObject({ type, id: undefined });
  expect(run.registration("cache").inputs).toEqual({ ...args, __resource: "cache", __provider });
});

test("its id is also its contextId, and stays known in the preview of an update", async () => {
  const { result } = await runProgram(() => new AgbContext("cache", { name: "build-cache" }));
  expect(await outputValue(pulumi.all([result.id, result.contextId, result.name]))).toEqual([
    "cache-id",
    "cache-id",
    "build-cache",
  ]);
});

test("a session that mounts it depends on it, so that Pulumi deletes the session first", async () => {
  const run = await runProgram(() => {
    const { contextId } = new AgbContext("cache", { name: "build-cache" });
    new AgbSession("web", { imageId: "agb-code-space-1", contextSyncs: [{ contextId, path: "/home/user/cache" }] });
  });
  const { inputs, dependencies } = run.registration("web");
  expect(inputs["contextSyncs"]).toEqual([{ contextId: "cache-id", path: "/home/user/cache" }]);
  expect(dependencies).toContainEqual(expect.stringMatching(/AgbContext::cache$/));
});

test("it depends on the stack's identity, so that a delete that fails because of files leaves the identity", async () => {
  const run = await runProgram(() => new AgbContext("cache", { name: "build-cache" }));
  expect(run.registration("cache").dependencies).toEqual([expect.stringMatching(/AgbStackIdentity::agb$/)]);
});

test.each([
  ["a context", (opts: pulumi.CustomResourceOptions) => new AgbContext("x", { name: "build-cache" }, opts)],
  [
    "a session with mounts",
    (opts: pulumi.CustomResourceOptions) =>
      new AgbSession("x", { imageId: "a", contextSyncs: [{ contextId: "c", path: "/d" }] }, opts),
  ],
])("%s is deleted before its replacement is created, also with --replace", async (_, construct) => {
  const run = await runProgram(() => construct({}));
  expect(run.registration("x").deletesFirst).toBe(true);
  await runProgram(() => {
    expect(() => construct({ deleteBeforeReplace: false })).toThrow("deleteBeforeReplace: false would lose files");
  });
});

test("a session without mounts is replaced as its options say", async () => {
  const run = await runProgram(() => {
    new AgbSession("as-usual", { imageId: "a", contextSyncs: [] });
    new AgbSession("reversed", { imageId: "a" }, { deleteBeforeReplace: true });
  });
  expect(run.registration("as-usual").deletesFirst).toBe(false);
  expect(run.registration("reversed").deletesFirst).toBe(true);
});

test("a secret name and a secret path reach Pulumi as secrets", async () => {
  const run = await runProgram(() => {
    const { contextId } = new AgbContext("cache", { name: pulumi.secret("hidden") });
    new AgbSession("web", {
      imageId: "agb-code-space-1",
      contextSyncs: [{ contextId, path: pulumi.secret("/hidden") }],
    });
  });
  expect(run.registration("cache").inputs["name"]).toEqual(secret("hidden"));
  expect(run.registration("web").inputs["contextSyncs"]).toEqual([{ contextId: "cache-id", path: secret("/hidden") }]);
});

test("a context that is looked up is read by its id, with no inputs of its own and no owner", async () => {
  const run = await runProgram(() => AgbContext.get("found", "SdkCtx-1"));
  expect(run.registrations).toMatchObject([{ type, name: "found", id: "SdkCtx-1" }]);
  expect(run.registration("found").inputs).toEqual({ __provider });
});

test("import is refused with the ways that work", async () => {
  await runProgram(() => {
    expect(() => new AgbContext("cache", { name: "build-cache" }, { import: "SdkCtx-1" })).toThrow(
      'AgbContext "cache": Pulumi cannot import dynamic resources. Use the argument adopt to take a context over by its ' +
        'name, or AgbContext.get("cache", id) to look one up without owning it.',
    );
  });
});
