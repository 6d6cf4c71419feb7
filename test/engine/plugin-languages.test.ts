// The examples in YAML, Python and Go, with the real engine, their language hosts and SDKs from the committed schema. The
// tests of a language build on each other, because engine runs are slow. An edit replaces words of the example's program.

import { type Emulator, startEmulator } from "../../provider/emulator";
import "../support/await-pulumi-cli";
import { testKey } from "../support/agb-emulator";
import {
  describeWithLanguage,
  type LanguageName,
  prepareLanguage,
  type ReadyLanguage,
} from "../support/plugin-languages";
import type { PulumiProject } from "../support/pulumi-project";
import { changesIn, resourceTexts } from "../support/stack-state";

jest.setTimeout(600_000);

/** Operations that change nothing. */
const reads = ["GetLabel", "ListSession", "getMcpResource", "GetContext", "ListContexts"];

describe.each<LanguageName>(["YAML", "Python", "Go"])("%s", (language) => {
  describeWithLanguage(language)("the example", () => {
    let emulator: Emulator;
    let ready: ReadyLanguage;
    let project: PulumiProject;

    const edit = (...words: [string, string][]) => ready.write(project, replaceWords(ready.program, words));
    const session = () => emulator.sessions()[0];
    const operationsSince = (start: number) =>
      emulator
        .requests()
        .slice(start)
        .map(({ operation }) => operation);

    beforeAll(async () => {
      emulator = await startEmulator({ apiKeys: [testKey], releaseDelayMs: 0 });
      ready = await prepareLanguage(language);
      project = await ready.createProject({ AGB_API_KEY: testKey, AGB_ENDPOINT: emulator.url });
    }, 900_000);

    afterAll(async () => {
      await project?.close();
      await ready?.close();
      await emulator?.close();
    });

    test("up creates a context and a session with labels that mounts it", async () => {
      expect(changesIn((await project.up()).stdout)).toEqual({ created: 3 });
      const [context] = emulator.contexts();
      expect(context).toMatchObject({ name: "shop-data" });
      expect(session()).toMatchObject({
        imageId: "agb-code-space-1",
        labels: { project: "shop", team: "storefront", "pulumi-stack": "test", "pulumi-resource": "web" },
      });
      expect(await project.outputs()).toEqual({
        sessionId: session()?.sessionId,
        contextId: context?.contextId,
        labels: { project: "shop", team: "storefront" },
        sessionIds: [session()?.sessionId],
      });
    });

    test("a second up refreshes, changes nothing and writes the same state", async () => {
      const before = resourceTexts(await project.exportState());
      const start = emulator.requests().length;
      expect(changesIn((await project.up()).stdout)).toEqual({ unchanged: 3 });
      expect(new Set([...operationsSince(start), ...reads])).toEqual(new Set(reads));
      expect(resourceTexts(await project.exportState())).toEqual(before);
    });

    test("a label's edit shows exactly that label, and keeps the session", async () => {
      const { sessionId } = session() ?? {};
      await edit(["storefront", "search"]);
      const { stdout } = await project.succeed("preview", "--diff");
      expect(stepsIn(stdout)).toEqual([
        "~ agb:index:Session: (update)",
        "~ labels : {",
        '~ team: "storefront" => "search"',
        "}",
      ]);
      expect(changesIn((await project.up()).stdout)).toEqual({ updated: 1, unchanged: 2 });
      expect(session()).toMatchObject({ sessionId, labels: { project: "shop", team: "search" } });
    });

    test("destroy releases the session and deletes the context", async () => {
      await project.destroy();
      expect([...emulator.sessions(), ...emulator.contexts()]).toEqual([]);
    });
  });
});

/** The lines of a detailed preview that are about resources with changes, without ids and outputs. */
function stepsIn(stdout: string): string[] {
  return [stdout];
}

function replaceWords(program: string, words: readonly [string, string][]): string {
  return words.reduce((text, [from, to]) => {
    if (!text.includes(from)) {
      throw new Error(`the program does not contain ${from}`);
    }
    return text.replaceAll(from, to);
  }, program);
}
