// Runs this version on every recorded state of an earlier version: imports it, previews it, refreshes it, changes one label
// and destroys it. The states are in `test/fixtures/states`.
//
// The sessions and contexts are created in a fresh emulator with AGB's own calls, so their ids differ from those in the
// state. The test replaces the recorded ids and addresses with the new ones before the import. So the format of the
// emulator's state file and the way it makes ids may change.

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Emulator } from "../../provider/emulator";
import {
  type CaseNotes,
  editedLabel,
  type RecordedContext,
  type RecordedFile,
  type RecordedService,
  type RecordedSession,
  readRecordedState,
  recordedPassphrase,
  recordedStateNames,
} from "../fixtures/states/recorded-state";
import "../support/await-pulumi-cli";
import { startTestEmulator } from "../support/agb-emulator";
import { closeAfterTest } from "../support/close-after-test";
import { create, createContext, list, runShell, upload } from "../support/emulator-requests";
import { createPulumiProject, type PulumiProject } from "../support/pulumi-project";
import { changesIn, type ResourceState, resourceTexts, type StackState } from "../support/stack-state";

jest.setTimeout(600_000);

test.each(recordedStateNames())(
  "%s: nothing changes without being asked for, a label changes in place, destroy removes what the stack owns",
  async (name) => {
    const { project, notes, services } = await importState(name);
    const imported = await exportInClear(project);
    expect(await plannedOperations(project)).toEqual(notes.asksFor);

    await project.refresh();
    expect(resourceStrings(await exportInClear(project), notes)).toEqual(resourceStrings(imported, notes));

    await editLabel(project);
    const { unchanged: _, ...changes } = changesIn((await project.up()).stdout);
    expect(changes).toEqual({ updated: updatedNames(notes).size });
    const updated = await exportInClear(project);
    expectOnlyTheEdit(imported, updated, notes);
    expectLabels(updated, services, notes);
    const kept = agbResources(updated);
    for (const service of services) {
      expectLeft(service, ({ id, outlivesDestroy }) => outlivesDestroy || kept.has(id));
    }

    const labelSets = services.map(({ emulator }) => emulator.requestCounts().SetLabel ?? 0);
    expect(labelSets.reduce((sum, count) => sum + count)).toBe(updatedNames(notes).size);

    await project.destroy();
    for (const service of services) {
      expectLeft(service, ({ outlivesDestroy }) => outlivesDestroy);
      // No session was replaced meanwhile.
      expect(service.emulator.requestCounts().createSession).toBe(service.sessions.length);
    }
  },
);

/** A session or context that was created in place of a recorded one. */
interface Recreated {
  readonly id: string;
  readonly outlivesDestroy: boolean;
}

/** A service of a recorded state. */
interface OpenService {
  readonly emulator: Emulator;
  readonly contexts: readonly Recreated[];
  readonly sessions: readonly Recreated[];
}

async function importState(name: string) {
  const { notes, services: recordedServices, sessionFiles, state, files } = await readRecordedState(name);
  const replacements = new Map<string, string>();
  const present = (text: string) => replaceAll(text, replacements);

  const services: OpenService[] = [];
  for (const service of recordedServices) {
    const emulator = await openService(service, replacements, Object.keys(sessionFiles).length > 0);
    const contexts: Recreated[] = [];
    for (const context of service.contexts) {
      contexts.push(await recreateContext(context, emulator.url, service.apiKey, replacements));
    }
    const sessions: Recreated[] = [];
    for (const session of service.sessions) {
      const recreated = await recreateSession(session, emulator.url, service.apiKey, replacements);
      sessions.push(recreated);
      for (const file of sessionFiles[session.sessionId] ?? []) {
        await restoreFile(file, recreated.id, emulator.url, service.apiKey);
      }
    }
    services.push({ emulator, contexts, sessions });
  }

  const project = closeAfterTest(
    await createPulumiProject({
      files: JSON.parse(present(JSON.stringify(files))),
      environment: {
        ...JSON.parse(present(JSON.stringify(notes.environment))),
        PULUMI_CONFIG_PASSPHRASE: recordedPassphrase,
      },
    }),
  );
  const path = join(project.root, "state.json");
  await writeFile(path, present(state));
  await project.succeed("stack", "import", "--file", path);
  return { project, notes, services };
}

async function openService(
  { url, apiKey, emulatorId }: RecordedService,
  replacements: Map<string, string>,
  allowExec: boolean,
): Promise<Emulator> {
  const folder = emulatorId === undefined ? undefined : await temporaryFolder();
  const emulator = await startTestEmulator({
    apiKeys: [apiKey],
    allowExec,
    ...(folder !== undefined && { statePath: join(folder, "state.json") }),
  });
  replacements.set(url, emulator.url);
  if (emulatorId !== undefined) {
    const { headers } = await list(emulator.url);
    replacements.set(emulatorId, headers.get("x-agb-emulator-id") ?? "");
  }
  return emulator;
}

/** Creates a context like the recorded one, and adds its id to the replacements. */
async function recreateContext(
  { contextId, name, files, outlivesDestroy }: RecordedContext,
  url: string,
  apiKey: string,
  replacements: Map<string, string>,
): Promise<Recreated> {
  const id = await createContext(url, name, apiKey);
  for (const path of files) {
    expect(await upload(url, id, path, "text", apiKey)).toBe(200);
  }
  replacements.set(contextId, id);
  return { id, outlivesDestroy: outlivesDestroy ?? false };
}

/** Creates a session like the recorded one, and adds its ids to the replacements. */
async function recreateSession(
  recorded: RecordedSession,
  url: string,
  apiKey: string,
  replacements: Map<string, string>,
): Promise<Recreated> {
  // Mounts hold ids of contexts, and a label may hold the id of an earlier session.
  const session: RecordedSession = JSON.parse(replaceAll(JSON.stringify(recorded), replacements));
  const { labels, idleTimeoutSeconds: timeout, policyId: mcpPolicyId, imageId, mounts, outlivesDestroy } = session;
  const request = { labels: JSON.stringify(labels), timeout, mcpPolicyId, persistenceDataList: mounts };
  const { body } = await create(url, request, imageId, apiKey);
  for (const id of ["sessionId", "appInstanceId", "resourceId"] as const) {
    replacements.set(recorded[id], body.data[id]);
  }
  return { id: body.data.sessionId, outlivesDestroy: outlivesDestroy ?? false };
}

async function restoreFile(
  { path, mode, base64 }: RecordedFile,
  sessionId: string,
  url: string,
  apiKey: string,
): Promise<void> {
  const quoted = `'../../${path.replaceAll("'", "'\\''")}'`;
  const script = `mkdir -p "$(dirname ${quoted})" && echo ${base64} | base64 -d > ${quoted} && chmod ${mode} ${quoted}`;
  expect(await runShell(url, sessionId, script, {}, apiKey)).toMatchObject({ exit_code: 0, stderr: "" });
}

function replaceAll(text: string, replacements: ReadonlyMap<string, string>): string {
  return [...replacements].reduce((result, [recorded, now]) => result.replaceAll(recorded, now), text);
}

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "pulumi-agb-state-"));
  closeAfterTest({ close: () => rm(folder, { recursive: true, force: true }) });
  return folder;
}

/** What the next `up` would do to which resource, without steps that only read. */
async function plannedOperations(project: PulumiProject): Promise<Record<string, string>> {
  const { stdout } = await project.succeed("preview", "--refresh", "--json", "--show-replacement-steps");
  const steps: { op: string; urn: string }[] = JSON.parse(stdout).steps;
  const changing = steps.filter(({ op }) => !["same", "read", "refresh"].includes(op));
  return Object.fromEntries(changing.map(({ op, urn }) => [nameOf(urn), op]));
}

async function editLabel(project: PulumiProject): Promise<void> {
  const program = await readFile(join(project.directory, "index.js"), "utf8");
  const edited = program.replace(JSON.stringify(editedLabel.before), JSON.stringify(editedLabel.after));
  expect(edited).not.toBe(program);
  await project.write("index.js", edited);
}

/** The sessions that the `up` after the edit updates: the edited one, and those whose state asks for an update. */
function updatedNames({ asksFor, edited }: CaseNotes): Set<string> {
  const asked = Object.entries(asksFor).filter(([, operation]) => operation === "update");
  return new Set([edited, ...asked.map(([name]) => name)]);
}

/** Fails unless the service has exactly these of the recreated sessions and contexts, and no others. */
function expectLeft(
  { emulator, sessions, contexts }: OpenService,
  isExpected: (recreated: Recreated) => boolean,
): void {
  const expectedIds = (all: readonly Recreated[]) => all.filter(isExpected).map(({ id }) => id);
  const sessionIds = emulator.sessions().map(({ sessionId }) => sessionId);
  const contextIds = emulator.contexts().map(({ contextId }) => contextId);
  expect(sessionIds.sort()).toEqual(expectedIds(sessions).sort());
  expect(contextIds.sort()).toEqual(expectedIds(contexts).sort());
}

/** Fails unless all AGB resources are unchanged, apart from the edited label and what the state asked for. */
function expectOnlyTheEdit(imported: StackState, updated: StackState, { asksFor, edited }: CaseNotes): void {
  const was = agbResources(imported);
  const is = agbResources(updated);
  expect([...is.keys()].sort()).toEqual([...was.keys()].sort());
  for (const [id, resource] of is) {
    const { urn, inputs, outputs } = was.get(id) ?? { urn: "" };
    const name = nameOf(urn);
    expect(resource.urn).toBe(urn);
    expect(resource).not.toHaveProperty("initErrors");
    if (asksFor[name] !== "update") {
      // As one string, because the state holds labels that are secret as a whole as a string.
      const text = JSON.stringify({ inputs, outputs });
      const { before, after } = editedLabel;
      expect(resource).toMatchObject(JSON.parse(name === edited ? text.replaceAll(before, after) : text));
    }
  }
}

/** Fails unless each running session has the labels that the state holds, and no others after an update. */
function expectLabels(state: StackState, services: readonly OpenService[], { asksFor, edited }: CaseNotes): void {
  const sessions = services.flatMap(({ emulator }) => emulator.sessions());
  for (const [id, { urn, outputs }] of agbResources(state)) {
    const name = nameOf(urn);
    const session = sessions.find(({ sessionId }) => sessionId === id);
    if (session !== undefined && outputs !== undefined) {
      const labels = withoutSecretMarks(outputs["labelsAll"]);
      expect(session.labels).toMatchObject(labels);
      if (asksFor[name] === "update") {
        expect(session.labels).toEqual(labels);
      }
      expect(session.labels[editedLabel.key] === editedLabel.after).toBe(name === edited);
    }
  }
}

/** The sessions, the contexts and the stack's identity by id, without resources that are pending deletion. */
function agbResources({ deployment }: StackState): Map<string, ResourceState> {
  const resources = (deployment.resources ?? []).filter(
    (resource) => resource.type.startsWith("pulumi-nodejs:dynamic/agb:") && !("delete" in resource),
  );
  return new Map(resources.map((resource) => [resource.id ?? "", resource]));
}

function exportInClear(project: PulumiProject): Promise<StackState> {
  return project.exportState("--show-secrets");
}

/** The value of a property in a state that was exported with `--show-secrets`. */
function withoutSecretMarks(value: unknown): Record<string, string> {
  return JSON.parse(JSON.stringify(value), (_key, item) =>
    typeof item?.plaintext === "string" ? JSON.parse(item.plaintext) : item,
  );
}

/**
 * The resources that the stack owns, as strings. Leaves out sessions that are only looked up, because each command reads
 * them again. Also leaves out inputs and errors of resources that ask for an update: a refresh replaces them.
 */
function resourceStrings({ deployment }: StackState, { asksFor }: CaseNotes): string[] {
  const owned = (deployment.resources ?? []).filter((resource) => !("external" in resource));
  return owned.flatMap((resource) => {
    const asks = asksFor[nameOf(resource.urn)] === "update";
    const compared = asks ? { ...resource, inputs: {}, modified: undefined, initErrors: undefined } : resource;
    // One by one: a resource that is pending deletion has the same URN as its successor.
    return Object.values(resourceTexts({ deployment: { resources: [compared] } }));
  });
}

function nameOf(urn: string): string {
  return urn.slice(urn.lastIndexOf("::") + 2);
}
