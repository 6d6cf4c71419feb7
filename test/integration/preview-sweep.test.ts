// What `preview-environment sweep` decides. AGB is the emulator; the engine and the forge are fake.

import fc from "fast-check";
import { decideFate } from "../../provider/previews/request-decisions";
import { sweep } from "../../provider/previews/sweep";
import { somethingIsLeft } from "../../provider/previews/sweep-result";
import { openClient } from "../support/agb-client";
import { startTestEmulator } from "../support/agb-emulator";
import { openJob, ours, sessionsIn, sweepOptions, theirs } from "../support/emulated-preview-job";
import { failed, openFakeJob, stateOf } from "../support/fake-preview-job";
import { hosts } from "../support/resource-hosts";

describe("the sweep", () => {
  const nowMs = Date.UTC(2026, 10, 22);
  const dayMs = 86_400_000;

  test.each([
    [true, 0, undefined, "keep"],
    [true, 400, undefined, "keep"],
    [true, 2.9, 3, "keep"],
    [true, 3, 3, "remove"],
    [false, 0, undefined, "remove"],
    [false, 0, 3, "remove"],
  ])("decides about a request (open: %s, idle for %s days, limit %s): %s", (isOpen, days, idleDays, fate) => {
    const updatedAt = new Date(nowMs - days * dayMs);
    expect(decideFate({ isOpen, updatedAt }, idleDays, nowMs).fate).toBe(fate);
  });

  test("keeps the sessions of a stack that was not found when its request is open: it may be in another backend", async () => {
    const { job, requests, said, clock, make, running } = await openJob();
    requests.set(1, { isOpen: true, updatedAt: new Date(clock.now()) });
    const session = await make("pr-1");
    const result = await sweep(job, sweepOptions);
    expect(result).toMatchObject({
      stacks: [],
      sessions: [{ sessionId: session, action: "left", reason: "its stack was not found, and its request is open" }],
      failures: [],
    });
    expect(somethingIsLeft(result)).toBe(true);
    expect(said).toEqual([
      expect.stringMatching(`^left: ${session} .*: its stack was not found, and its request is open \\[AGB727\\]$`),
    ]);
    expect(running()).toEqual(new Set([session]));
  });

  test("continues with the others when one stack cannot be removed, and reports it", async () => {
    const fake = await openJob();
    const { job, stacks, requests, clock } = fake;
    for (const request of [1, 2]) {
      requests.set(request, { isOpen: false, updatedAt: new Date(clock.now()) });
      stacks.set(`pr-${request}`, stateOf("shop", `pr-${request}`, []));
    }
    const { destroy } = job.pulumi;
    job.pulumi.destroy = async (stack) => (stack === "pr-1" ? failed("error", 1) : destroy(stack));
    expect(await sweep(job, sweepOptions)).toMatchObject({
      stacks: [
        { stack: "pr-1", action: "failed" },
        { stack: "pr-2", action: "removed" },
      ],
      failures: [
        { text: expect.stringContaining("Stack pr-1: `pulumi destroy` failed with exit code 1"), code: "AGB603" },
      ],
    });
  });

  test("asks the forge once for each request", async () => {
    const { job, requests, stacks, clock, make } = await openJob();
    const asked: number[] = [];
    const { readRequest } = job.forge;
    job.forge.readRequest = (request) => {
      asked.push(request);
      return readRequest(request);
    };
    requests.set(1, { isOpen: false, updatedAt: new Date(clock.now()) });
    stacks.set("pr-1", stateOf("shop", "pr-1", []));
    await make("pr-1", 1);
    await make("pr-2");
    await make("pr-2");
    await sweep(job, sweepOptions);
    expect(asked).toEqual([1, 2]);
  });

  test("warns that another job did not do its work when it cleaned up something, and only then", async () => {
    const { job, requests, clock, make, warned, summaries } = await openJob({}, ours);
    await sweep(job, sweepOptions);
    expect(warned).toEqual([]);
    requests.set(1, { isOpen: false, updatedAt: new Date(clock.now()) });
    await make("pr-1", 60, "shop", ours);
    await sweep({ ...job }, { ...sweepOptions, execute: false });
    expect(warned).toEqual([]);
    await sweep(job, sweepOptions);
    expect(warned).toEqual([expect.stringMatching(/^The sweep removed 0 stacks and released 1 session /)]);
    expect(summaries).toHaveLength(3);
  });

  test("releases what a request left behind when it renamed the project, once it is closed", async () => {
    const { job, requests, clock, make, running, said } = await openJob({}, ours);
    requests.set(1, { isOpen: false, updatedAt: new Date(clock.now()) });
    requests.set(2, { isOpen: true, updatedAt: new Date(clock.now() - 10 * dayMs) });
    const renamed = await make("pr-1", 60, "renamed", ours);
    const kept = [
      await make("pr-1", 1, "renamed", ours),
      await make("pr-2", 60, "renamed", ours),
      await make("production", 60, "renamed", ours),
      await make("pr-1", 60, "renamed", theirs),
      await make("pr-1", 60, "renamed"),
    ];
    const dry = await sweep(job, { ...sweepOptions, execute: false });
    expect(dry.sessions.map(({ action }) => action)).toEqual(["left", "would release"]);
    const result = await sweep(job, { ...sweepOptions, idleDays: 3 });
    expect(result).toMatchObject({
      stacks: [],
      sessions: [
        { sessionId: kept[0], action: "left", reason: expect.stringMatching(/^it is younger than 10 minutes /) },
        { sessionId: renamed, stack: "pr-1", action: "released" },
      ],
      failures: [],
    });
    expect(said).toContainEqual(expect.stringMatching(/^released: .*, project renamed\)$/));
    expect(running()).toEqual(new Set(kept));
  });

  test.each([ours, undefined])(
    "leaves sessions without a repository whose stack is not here, when its own repository is %s",
    async (repository) => {
      const { job, requests, clock, make, running } = await openJob({}, repository);
      requests.set(1, { isOpen: false, updatedAt: new Date(clock.now()) });
      const session = await make("pr-1");
      expect(somethingIsLeft(await sweep(job, sweepOptions))).toBe(true);
      expect(running()).toEqual(new Set([session]));
    },
  );

  test("ignores requests of another repository that this one does not have", async () => {
    const { job, make, running } = await openJob({}, ours);
    await make("pr-7", 60, "shop", theirs);
    expect(await sweep(job, sweepOptions)).toEqual({ stacks: [], sessions: [], failures: [] });
    expect(running().size).toBe(1);
  });

  const world = fc.record({
    repository: fc.constantFrom(ours, ours, undefined),
    stacks: fc.uniqueArray(
      fc.record({
        name: fc.constantFrom("pr-1", "pr-2", "pr-3", "pr-4", "production", "pr-x", "other/pr-1"),
        isForeign: fc.boolean(),
        host: fc.constantFrom(...hosts),
      }),
      { selector: ({ name }) => name },
    ),
    requests: fc.array(fc.constantFrom("open", "closed", "unknown", "stale"), { minLength: 4, maxLength: 4 }),
    sessions: fc.array(
      fc.record({
        stack: fc.constantFrom("pr-1", "pr-2", "pr-3", "pr-4", "production", "pr-x"),
        project: fc.constantFrom("shop", "shop", "shop", "bank"),
        minutesOld: fc.constantFrom(0, 5, 15, 60),
        isKnown: fc.boolean(),
        repository: fc.constantFrom(ours, ours, theirs, undefined),
        // Another backend's stack of the same name has another id. An earlier version set none.
        stackId: fc.constantFrom("own", "own", "fedcba9876543210", ""),
      }),
      { maxLength: 8 },
    ),
    execute: fc.boolean(),
    idleDays: fc.constantFrom(undefined, 3),
  });

  test("touches only what is certainly left over, whatever exists", async () => {
    const emulator = await startTestEmulator();
    const client = openClient(emulator.url);
    await fc.assert(
      fc.asyncProperty(world, async ({ repository, stacks, requests, sessions, execute, idleDays }) => {
        await emulator.reset();
        const fake = openFakeJob({}, { client, repository });
        const { job, clock } = fake;
        const { make, running } = sessionsIn(emulator, clock.now());
        for (const [index, state] of requests.entries()) {
          const daysAgo = state === "stale" ? 10 : 1;
          const answer = { isOpen: state !== "closed", updatedAt: new Date(clock.now() - daysAgo * dayMs) };
          fake.requests.set(index + 1, state === "unknown" ? new Error("HTTP 404") : answer);
        }
        const made: ((typeof sessions)[number] & { readonly id: string })[] = [];
        for (const session of sessions) {
          made.push({
            ...session,
            id: await make(
              session.stack,
              session.minutesOld,
              session.project,
              session.repository,
              session.stackId === "own" ? undefined : session.stackId,
            ),
          });
        }
        for (const { name, isForeign, host } of stacks) {
          const known = made.filter(({ stack, project, isKnown }) => stack === name && project === "shop" && isKnown);
          const repositories = known.map((session) => session.repository);
          const ids = known.map(({ id }) => id);
          fake.stacks.set(
            name,
            isForeign ? stateOf("bank", name, [], [], host) : stateOf("shop", name, ids, repositories, host),
          );
        }
        const destroy = job.pulumi.destroy;
        job.pulumi.destroy = async (stack) => {
          for (const id of fake.stacks.get(stack)?.sessionIds ?? []) {
            await emulator.release(id);
          }
          return destroy(stack);
        };
        const before = running();
        const stacksBefore = new Map(fake.stacks);

        const result = await sweep(job, { ...sweepOptions, execute, idleDays });

        const isOver = (stack: string) => {
          const state = requests[Number(stack.slice(3)) - 1];
          return state === "closed" || (state === "stale" && idleDays !== undefined);
        };
        // The repositories that a state names, and whether it belongs to another one.
        const namedIn = (name: string) =>
          new Set(
            made.flatMap((session) =>
              session.stack === name && session.project === "shop" && session.isKnown ? (session.repository ?? []) : [],
            ),
          );
        const isOurs = (name: string) =>
          stacksBefore.get(name)?.name?.project === "shop" && !(repository !== undefined && namedIn(name).has(theirs));
        for (const name of stacksBefore.keys()) {
          const mayGo = execute && isOver(name) && /^pr-\d$/.test(name) && isOurs(name);
          expect(fake.stacks.has(name)).toBe(!mayGo);
        }
        for (const session of made) {
          const { id, stack, project, minutesOld, isKnown } = session;
          const isHere = stacksBefore.has(stack);
          const [named, ...more] = namedIn(stack);
          const worker = repository ?? (isHere && more.length === 0 ? named : undefined);
          const isClosed = requests[Number(stack.slice(3)) - 1] === "closed";
          const isOfClosedRequest = isClosed && repository !== undefined && session.repository === repository;
          const isOfWorker = session.repository === undefined || session.repository === worker;
          const isIdentified = isHere && session.stackId === "own";
          const isTakenDown =
            isOurs(stack) && isOver(stack) && (isKnown || (isOfWorker && (isIdentified || isOfClosedRequest)));
          const isInDoubt = requests[Number(stack.slice(3)) - 1] === "unknown";
          const isOrphan =
            minutesOld >= 10 &&
            !isInDoubt &&
            isOfWorker &&
            (isHere ? isOurs(stack) && !isKnown && isIdentified : isOfClosedRequest);
          const isOfRenamed = minutesOld >= 10 && isOfClosedRequest;
          const isLeftOver = project === "shop" ? isTakenDown || isOrphan : isOfRenamed;
          const mayGo = execute && /^pr-\d$/.test(stack) && isLeftOver;
          expect([session, running().has(id)]).toEqual([session, !mayGo]);
          // The same in short: only the id of a state that was read, or a closed request of this repository, allows a release.
          // Sessions with another repository's label are never touched.
          expect(isKnown || isIdentified || isOfClosedRequest || running().has(id)).toBe(true);
          expect(session.repository !== theirs || repository === undefined || running().has(id)).toBe(true);
        }
        if (!execute) {
          expect(running()).toEqual(before);
          expect(fake.commands).toEqual([]);
        }
        const ownStacks = made
          .filter((session) => session.project === "shop" || (repository && session.repository === repository))
          .filter((session) => repository === undefined || session.repository !== theirs)
          .map(({ stack }) => stack);
        const isDoubtful = [...stacksBefore.keys(), ...ownStacks].some(
          (stack) => requests[Number(stack.slice(3)) - 1] === "unknown" && /^pr-\d$/.test(stack),
        );
        // Doubt is reported; it can also come from a stack of another project.
        expect(result.failures.length > 0 || !isDoubtful).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});
