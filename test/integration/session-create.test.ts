import { unknownValue } from "../../provider/kinds/unknown";
import { startTestEmulator, testKey } from "../support/agb-emulator";
import { FakeClock } from "../support/fake-clock";
import { withoutRetryDelay } from "../support/no-retry-delay";
import { hosts, openHost, sessionOutputsOf } from "../support/resource-hosts";
import { deadAddress } from "../support/scripted-server";
import {
  provider as __provider,
  declare,
  failureOf,
  openProvider,
  openStack,
  owner,
  Stack,
} from "../support/session-stack";

describe.each(hosts)("served by the %s host", (host) => {
  withoutRetryDelay();

  beforeEach(() => {
    jest.spyOn(console, "error").mockImplementation();
  });

  describe("a check", () => {
    test("returns all problems together, without a value, and does not throw", async () => {
      const { stack } = await openStack({ host });
      const { failures } = await stack.provider.check(
        {},
        declare({ "a b": "", token: "s3cret".repeat(50) }, { imageId: "", idleTimeoutSeconds: -1 }),
      );
      expect(failures?.map(({ property }) => property)).toEqual(["", "", "", ""]);
      expect(failures?.map(({ reason }) => reason)).toEqual([
        "imageId: must not be blank [AGB104]",
        'labels["a b"]: the value is blank; leave the label out instead [AGB105]',
        "labels.token: the value has 300 characters; the limit is 256 [AGB105]",
        "idleTimeoutSeconds: must be a whole number of seconds, 1 or more [AGB104]",
      ]);
    });

    test("reports broken settings as failures, all of them", async () => {
      const { session: provider } = openHost(host, { AGB_ENDPOINT: "ftp://agb", AGB_TIMEOUT_MS: "x" });
      const { failures } = await provider.check({}, declare());
      expect(failures?.map(({ reason }) => reason)).toEqual([
        expect.stringContaining("No AGB API key"),
        expect.stringContaining("AGB_ENDPOINT"),
        expect.stringContaining("AGB_TIMEOUT_MS"),
      ]);
    });

    test("asks AGB nothing where the declaration is wrong", async () => {
      const { stack, emulator } = await openStack({ host });
      await stack.provider.check({}, declare({}, { imageId: "" }));
      expect(emulator.requestCounts()).toEqual({});
    });

    test("passes in a preview that knows no value yet", async () => {
      const { stack } = await openStack({ host }, { cost: "1" });
      const inputs = await stack.check({
        imageId: unknownValue,
        labels: unknownValue,
        labelsAll: unknownValue,
        idleTimeoutSeconds: unknownValue,
        policyId: unknownValue,
        __provider,
      });
      expect(inputs.labelsAll).toBe(unknownValue);
    });
  });

  describe("a create", () => {
    test("takes one call and leaves a session as declared with default and owner's labels", async () => {
      const { stack, emulator } = await openStack({ host }, { team: "all", cost: "1" });
      const state = await stack.create(
        declare({ team: "web" }, { idleTimeoutSeconds: 600, policyId: "longDuration-policy" }),
      );
      expect(emulator.requestCounts()).toEqual({ ListSession: 1, createSession: 1 });
      const [session] = emulator.sessions();
      expect(session).toMatchObject({
        sessionId: state.id,
        imageId: "agb-code-space-1",
        idleTimeoutSeconds: 600,
        policyId: "longDuration-policy",
        labels: { team: "web", cost: "1", ...owner, "pulumi-create": expect.stringMatching(/^20261122T164726Z-/) },
      });
      expect(state.outputs).toEqual({
        imageId: "agb-code-space-1",
        labels: { team: "web" },
        labelsAll: session?.labels,
        idleTimeoutSeconds: 600,
        policyId: "longDuration-policy",
        appInstanceId: session?.appInstanceId,
        resourceId: session?.resourceId,
        service: emulator.url,
        ...sessionOutputsOf[host],
        __provider,
      });
    });

    test("puts no link, token or key into the state", async () => {
      const { stack, emulator } = await openStack({ host });
      // The address of the service is what is left of an emulator that keeps no state.
      const state = JSON.stringify(await stack.create()).replaceAll(emulator.url, "the service");
      expect(state).not.toContain(testKey);
      expect(state).not.toMatch(/https?:|authcode|ticket|wsUrl/i);
    });

    test("of an unknown image fails with the resource, AGB's reason and what to check", async () => {
      const { stack } = await openStack({ host });
      const error = await failureOf(stack.create(declare({}, { imageId: "nonsense" })));
      expect(error.message).toMatch(/^could not create AgbSession "web": AGB refused createSession: .*nonsense/);
      expect(error.message).toContain("Check imageId and policyId");
      expect(error.stack).not.toContain(".ts:");
    });

    test("at an endpoint where nobody answers names the endpoint", async () => {
      const address = await deadAddress();
      const stack = new Stack(openProvider(`http://${address}`, new FakeClock(), {}, host), await startTestEmulator());
      const error = await failureOf(stack.provider.create({ ...declare(), labels: {}, labelsAll: owner }));
      expect(error.message).toContain(`no connection to http://${address}`);
      expect(error.message).toContain(`The endpoint is http://${address}, from AGB_ENDPOINT.`);
    });

    test("whose reply is lost does not lose the session", async () => {
      const { stack, emulator } = await openStack({ host });
      emulator.addFault({ operation: "createSession", when: "after", answer: "reset" });
      const state = await stack.create();
      expect(emulator.sessions().map(({ sessionId }) => sessionId)).toEqual([state.id]);
      expect(state.outputs.labelsAll).toEqual(emulator.sessions()[0]?.labels);
    });

    test("creates a second session beside the first when a resource is replaced, and never adopts the old one", async () => {
      const { stack, emulator } = await openStack({ host });
      const first = await stack.create();
      const second = await stack.create();
      expect(second.id).not.toBe(first.id);
      expect(emulator.sessions()).toHaveLength(2);
    });
  });
});
