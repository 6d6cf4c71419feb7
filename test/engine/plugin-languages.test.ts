// The examples in YAML, Python and Go, with the real engine, their language hosts and SDKs from the committed schema. The
// tests of a language build on each other, because engine runs are slow. An edit replaces words of the example's program.
// Each goes through the life of a session. What only a program in YAML can say, or what is the same in all, is tried with YAML.

import { type Emulator, startEmulator } from "../../provider/emulator";
import "../support/await-pulumi-cli";
import { findBlocksOfTest } from "../docs/code-blocks";
import { testKey } from "../support/agb-emulator";
import {
  describeWithLanguage,
  type LanguageName,
  prepareLanguage,
  type ReadyLanguage,
  replaceWord,
} from "../support/plugin-languages";
import { stepsIn } from "../support/preview-steps";
import type { PulumiProject } from "../support/pulumi-project";
import { changesIn, resourceTexts } from "../support/stack-state";

jest.setTimeout(600_000);

/** Operations that change nothing. */
const reads = [
  "GetContext",
  "GetLabel",
  "ListContexts",
  "ListSession",
  "getMcpResource",
  "getSession",
  "getSessionInfo",
];

/** The programs of the plugin's page with all kinds of resources, and with nothing but look-ups. */
const [allKinds, lookUps] = findBlocksOfTest("test/engine/plugin-languages.test.ts");

/** The look-ups that the example does not make, in YAML. */
const functionCalls = `
  sessions:
    fn::invoke: { function: agb:getSessions, arguments: { labels: "\${web.labels}" } }
  context:
    fn::invoke: { function: agb:getContext, arguments: { name: "\${data.name}" } }
  url:
    fn::invoke: { function: agb:getSessionUrl, arguments: { sessionId: "\${web.id}" } }
  link:
    fn::invoke: { function: agb:getSessionLink, arguments: { sessionId: "\${web.id}", port: 30100 } }

outputs:
  sessions: \${sessions.sessions}
  context: \${context.contextId}
  url: \${url.url}
  link: \${link.url}
`;

describe.each<{ language: LanguageName; limited: [string, string] }>([
  {
    language: "YAML",
    limited: [
      "    type: agb:Session\n",
      "    type: agb:Session\n    options:\n      customTimeouts:\n        delete: 1s\n",
    ],
  },
  {
    language: "Python",
    limited: [
      '/data"}],\n',
      '/data"}],\n    opts=pulumi.ResourceOptions(custom_timeouts=pulumi.CustomTimeouts(delete="1s")),\n',
    ],
  },
  {
    language: "Go",
    limited: ["\t\t\t},\n\t\t})", '\t\t\t},\n\t\t}, pulumi.Timeouts(&pulumi.CustomTimeouts{Delete: "1s"}))'],
  },
])("$language", ({ language, limited }) => {
  describeWithLanguage(language)("the example", () => {
    let emulator: Emulator;
    let ready: ReadyLanguage;
    let project: PulumiProject;
    let sessionId: string;

    let program: string;

    const edit = async (from: string, to: string) => {
      program = replaceWord(program, from, to);
      await ready.write(project, program);
    };
    const session = () => emulator.sessions().find((each) => each.sessionId === sessionId);
    const testInYaml = language === "YAML" ? test : () => {};

    beforeAll(async () => {
      emulator = await startEmulator({ apiKeys: [testKey], releaseDelayMs: 0, allowExec: true });
      ready = await prepareLanguage(language);
      program = ready.program;
      project = await ready.createProject({ AGB_API_KEY: testKey, AGB_ENDPOINT: emulator.url });
    }, 900_000);

    afterAll(async () => {
      await project?.close();
      await ready?.close();
      await emulator?.close();
    });

    testInYaml("an argument that the schema does not have is named, and nothing is created", async () => {
      await ready.write(project, replaceWord(program, "      imageId:", "      gpu: 1\n      imageId:"));
      const { exitCode, stdout, stderr } = await project.run("up", "--yes");
      expect(exitCode).not.toBe(0);
      expect(`${stdout}${stderr}`).toMatch(/Property gpu does not exist on 'agb:index:Session'/);
      expect([...emulator.sessions(), ...emulator.contexts()]).toEqual([]);
      await ready.write(project, program);
    });

    test("a preview creates nothing; up creates a context, and a session with labels that mounts it", async () => {
      await project.succeed("preview");
      expect([...emulator.sessions(), ...emulator.contexts()]).toEqual([]);
      expect(changesIn((await project.up()).stdout)).toEqual({ created: 3 });
      const [context] = emulator.contexts();
      expect(context).toMatchObject({ name: "shop-data" });
      const outputs = await project.outputs();
      sessionId = outputs["sessionId"];
      expect(outputs).toEqual({
        sessionId: emulator.sessions()[0]?.sessionId,
        contextId: context?.contextId,
        labels: { project: "shop", team: "storefront" },
        status: "RUNNING",
      });
      expect(session()).toMatchObject({
        imageId: "agb-code-space-1",
        labels: { project: "shop", team: "storefront", "pulumi-stack": "test", "pulumi-resource": "web" },
      });
    });

    test("a second up refreshes, changes nothing and writes the same state", async () => {
      const before = resourceTexts(await project.exportState());
      const start = emulator.requests().length;
      expect(changesIn((await project.up()).stdout)).toEqual({ unchanged: 3 });
      const operations = emulator
        .requests()
        .slice(start)
        .map(({ operation }) => operation);
      expect(operations).toContain("getMcpResource");
      expect(operations.filter((operation) => !reads.includes(operation))).toEqual([]);
      expect(resourceTexts(await project.exportState())).toEqual(before);
    });

    test("a label's edit shows exactly that label, and keeps the session", async () => {
      await edit("storefront", "search");
      const change = '~ team: "storefront" => "search"';
      expect(stepsIn((await project.succeed("preview", "--diff")).stdout)).toEqual([
        ["~ agb:index:Session: (update)", "~ labels: {", change, "}", "~ labelsAll: {", change, "}"],
      ]);
      expect(changesIn((await project.up()).stdout)).toEqual({ updated: 1, unchanged: 2 });
      expect(session()?.labels).toMatchObject({ project: "shop", team: "search" });
    });

    test("labels that others changed are shown and restored", async () => {
      const { project: _, ...others } = session()?.labels ?? {};
      await emulator.setLabels(sessionId, { ...others, team: "drift", intruder: "yes" });
      const changes = ['- intruder: "yes"', '+ project: "shop"', '~ team: "drift" => "search"'];
      expect(stepsIn((await project.succeed("preview", "--diff")).stdout)).toEqual([
        ["~ agb:index:Session: (update)", "~ labels: {", ...changes, "}", "~ labelsAll: {", ...changes, "}"],
      ]);
      expect(changesIn((await project.up()).stdout)).toEqual({ updated: 1, unchanged: 2 });
      expect(session()?.labels).toMatchObject({ project: "shop", team: "search" });
      expect(session()?.labels).not.toHaveProperty("intruder");
    });

    test("a session that AGB released is created again", async () => {
      await emulator.release(sessionId);
      expect(changesIn((await project.up()).stdout)).toEqual({ created: 1, unchanged: 2 });
      const { sessionId: next } = await project.outputs();
      expect(next).not.toBe(sessionId);
      sessionId = next;
      expect(session()).toMatchObject({ labels: { team: "search" } });
    });

    test("another image replaces the session, and only it", async () => {
      await edit("agb-code-space-1", "agb-code-space-2");
      expect(stepsIn((await project.succeed("preview", "--diff")).stdout)).toContainEqual([
        "+-agb:index:Session: (replace)",
        '~ imageId: "agb-code-space-1" => "agb-code-space-2"',
      ]);
      const released = sessionId;
      expect(changesIn((await project.up()).stdout)).toEqual({ replaced: 1, unchanged: 2 });
      sessionId = (await project.outputs())["sessionId"];
      expect(sessionId).not.toBe(released);
      expect(emulator.sessions()).toMatchObject([{ sessionId, imageId: "agb-code-space-2" }]);
    });

    testInYaml("every function answers", async () => {
      await ready.write(project, replaceWord(program, "outputs:\n", functionCalls));
      await project.up();
      const { sessions, context, url, link } = JSON.parse(
        (await project.succeed("stack", "output", "--json", "--show-secrets")).stdout,
      );
      expect(sessions).toMatchObject([{ sessionId, labels: { project: "shop", team: "search" } }]);
      expect(context).toBe(emulator.contexts()[0]?.contextId);
      expect([url, link]).toEqual([expect.stringMatching(/^https?:/), expect.stringMatching(/^(?:https?|wss?):/)]);
      const shown = await project.outputs();
      expect([shown["url"], shown["link"]]).toEqual(["[secret]", "[secret]"]);
      expect(JSON.stringify(await project.exportState())).not.toContain(url);
    });

    testInYaml("another program puts a file into a session and runs it", async () => {
      const other = await ready.createProject({ AGB_API_KEY: testKey, AGB_ENDPOINT: emulator.url });
      try {
        const renamed = replaceWord(allKinds?.code ?? "", "name: shop-app", "name: agb-yaml");
        await ready.write(other, replaceWord(renamed, "name: shop-data", "name: app-data"));
        await other.up();
        expect(await other.outputs()).toEqual({ said: "hello" });
        await other.destroy();
      } finally {
        await other.close();
      }
    });

    testInYaml("another program finds the session by a label, and asks for it by its id", async () => {
      const other = await ready.createProject({ AGB_API_KEY: testKey, AGB_ENDPOINT: emulator.url });
      try {
        const looking = replaceWord(lookUps?.code ?? "", "name: shop-sessions", "name: agb-yaml");
        await ready.write(other, replaceWord(looking, "project: shop", "project: none"));
        expect((await other.run("preview")).exitCode).not.toBe(0);
        await ready.write(other, looking);
        await other.up();
        const labels = { project: "shop", team: "search" };
        const found = { sessionId, status: "RUNNING", labels, labelsAll: session()?.labels };
        expect(await other.outputs()).toEqual({ sessions: [found], status: "RUNNING" });
      } finally {
        await other.close();
      }
    });

    test("customTimeouts limits a delete, and without it destroy removes everything", async () => {
      await edit(...limited);
      await project.up();
      // Nothing is released before the upload to the context is known to be over, and that takes longer than a second.
      const failed = await project.run("destroy", "--yes", "--skip-preview");
      expect(failed.exitCode).not.toBe(0);
      expect(failed.stdout).toContain("[AGB415]");
      expect(session()).toBeDefined();

      await edit(limited[1], limited[0]);
      await project.up();
      await project.destroy();
      expect([...emulator.sessions(), ...emulator.contexts()]).toEqual([]);
    });
  });
});
