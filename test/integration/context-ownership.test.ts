// Which resource owns a context, and what AGB refuses.

import { declareContext, openContextStack } from "../support/context-stack";
import { contextCall, download, upload } from "../support/emulator-requests";
import { withoutRetryDelay } from "../support/no-retry-delay";
import { hosts } from "../support/resource-hosts";
import { captureErrorStream, said } from "../support/said";
import { failureOf } from "../support/session-stack";

describe.each(hosts)("served by the %s host", (host) => {
  withoutRetryDelay();

  captureErrorStream();

  describe("delete", () => {
    test("of an empty context makes sure that it is gone, and once more is a success", async () => {
      const stack = await openContextStack({ host });
      const entry = await stack.create();
      await stack.delete(entry);
      expect(stack.names()).toEqual({});
      await stack.delete(entry);
    });

    test("with files is refused with their number and both ways on; with forceDestroy it deletes them", async () => {
      const stack = await openContextStack({ host });
      const entry = await stack.create();
      for (const path of ["/home/a", "/home/deep/b", "/c"]) {
        await upload(stack.emulator.url, entry.id, path, "text");
      }
      const { message } = await failureOf(stack.delete(entry));
      expect(message).toContain(
        `could not delete AgbContext "data" (context ${entry.id}): context ${entry.id} holds 3 files`,
      );
      expect(message).toContain("`forceDestroy: true`");
      expect(message).toContain("`retainOnDelete: true`");
      expect(await download(stack.emulator.url, entry.id, "/home/deep/b")).toBe("text");

      await stack.delete(await stack.update(entry, declareContext({ forceDestroy: true })));
      expect(stack.names()).toEqual({});
    });

    test("with files goes on being refused while AGB cannot list them", async () => {
      const stack = await openContextStack({ host });
      const entry = await stack.create();
      await upload(stack.emulator.url, entry.id, "/a", "text");
      for (const answer of [{ status: 503 }, { status: 404, body: "<h1>Not Found</h1>" }]) {
        const fault = stack.emulator.addFault({ operation: "DescribeContextFiles", answer });
        expect((await failureOf(stack.delete(entry))).message).toContain("DescribeContextFiles");
        fault.remove();
      }
      expect(stack.names()).toEqual({ [entry.id]: "data" });
    });

    test("waits while AGB clears the context, within timeouts.delete", async () => {
      const stack = await openContextStack({ host, clearDelayMs: 30_000 });
      const entry = await stack.create(declareContext({ timeouts: { delete: 5 } }));
      await contextCall(stack.emulator.url, "ClearContext", { id: entry.id });
      const { message } = await failureOf(stack.delete(entry));
      expect(message).toContain(`AGB is still clearing context ${entry.id} after 5000 ms`);
      expect(message).toContain("`timeouts.delete`");
      stack.clock.advance(30_000);
      await stack.delete(entry);
      expect(stack.names()).toEqual({});
    });

    test("of a resource whose context another one took over in the same run leaves the context and says so", async () => {
      const stack = await openContextStack({ host });
      const old = await stack.create(declareContext({ adopt: true, forceDestroy: true }, "old"));
      await upload(stack.emulator.url, old.id, "/a", "text");
      stack.nextRun();
      const taken = await stack.create(declareContext({ adopt: true, forceDestroy: true }, "new"));
      expect(taken.id).toBe(old.id);
      await stack.delete(old);
      expect(await download(stack.emulator.url, old.id, "/a")).toBe("text");
      expect(said()).toContain(`context ${old.id} now belongs to another resource of this program; it is not deleted.`);

      stack.nextRun();
      await stack.delete(taken);
      expect(stack.names()).toEqual({});
    });

    test("of a resource whose context another one took over in an earlier run leaves the context too", async () => {
      const stack = await openContextStack({ host });
      const old = await stack.create(declareContext({ adopt: true, forceDestroy: true }, "old"));
      stack.nextRun();
      // This run ends before Pulumi gets to the delete of the old resource.
      const news = declareContext({ adopt: true, forceDestroy: true }, "new");
      const taken = await stack.create(news);
      stack.nextRun();
      expect(await stack.diff(taken, news)).toEqual({ changes: false });
      await stack.delete(old);
      expect(stack.names()).toEqual({ [taken.id]: "data" });
    });

    test("of a resource that the refresh compared and the program no longer declares does not hold its context", async () => {
      const stack = await openContextStack({ host });
      const old = await stack.create(declareContext({}, "old"));
      stack.nextRun();
      await stack.refresh(old);
      await stack.provider.diff(old.id, old.outputs, old.inputs);
      const taken = await stack.create(declareContext({ adopt: true }, "new"));
      expect(taken.id).toBe(old.id);
      await stack.delete(old);
      expect(stack.names()).toEqual({ [old.id]: "data" });
    });

    test("of a resource that is replaced deletes its context", async () => {
      const stack = await openContextStack({ host });
      const entry = await stack.create();
      stack.nextRun();
      await stack.diff(entry);
      await stack.delete(entry);
      expect(stack.names()).toEqual({});
    });
  });
});
