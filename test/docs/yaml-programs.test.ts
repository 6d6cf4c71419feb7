// Holds the programs in YAML, and the names on the plugin's page, to the plugin's schema.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { schemaPath } from "../../tools/plugin/schema-path";
import { repositoryRoot } from "../support/node-process";
import { findGuideBlocks, placeOf } from "./code-blocks";
import { readPage } from "./pages";
import { fullToken, isYamlProgram, type PackageSchema, programProblems } from "./yaml-programs";

const schema: PackageSchema = JSON.parse(readFileSync(schemaPath, "utf8"));
const example = "examples/yaml/Pulumi.yaml";

test("every program in YAML has only types, functions and properties of the schema", () => {
  const blocks = findGuideBlocks().filter(({ language, code }) => language === "yaml" && isYamlProgram(parse(code)));
  expect(blocks.map(({ page }) => page)).toContain("docs/native-plugin.md");
  const problems = blocks.flatMap((block) =>
    programProblems(block.code, schema).map((problem) => `${placeOf(block)}: ${problem}`),
  );
  expect(problems).toEqual([]);

  const program = readFileSync(join(repositoryRoot, example), "utf8");
  expect(isYamlProgram(parse(program))).toBe(true);
  expect(programProblems(program, schema)).toEqual([]);
});

test("the plugin's page names every resource and function, and no others", () => {
  const named = [...readPage("docs/native-plugin.md").matchAll(/\bagb:(?:index:)?[A-Za-z]+\b/g)].map(([name]) =>
    fullToken(name),
  );
  const declared = [...Object.keys(schema.resources), ...Object.keys(schema.functions)];
  const settings = Object.keys(schema.config.variables).map((name) => fullToken(`${schema.name}:${name}`));
  expect(declared.filter((token) => !named.includes(token))).toEqual([]);
  expect(named.filter((token) => ![...declared, ...settings].includes(token))).toEqual([]);
});

describe("a program that is wrong", () => {
  const read = (path: string) => `\${${path}}`;
  const sound = `
    resources:
      account:
        type: pulumi:providers:agb
        properties: { repository: x }
      data:
        type: agb:index:Context
        properties: { name: data }
      web:
        type: agb:Session
        properties:
          imageId: image
          keepAlive: true
          idleTimeoutSeconds: 600
          labels: { team: '${read("data.name")}' }
          ignoreLabels: [a]
          contextSyncs:
            - { contextId: '${read("data.id")}', path: /data }
    variables:
      found:
        fn::invoke: { function: agb:getSession, arguments: { sessionId: '${read("web.id")}' } }
      status:
        fn::invoke: { function: agb:getSession, arguments: { sessionId: a }, return: status }
    outputs: { labels: '${read("found.labels")}', status: '${read("status")}', plain: $x }
  `;

  test("is sound at first", () => {
    expect(programProblems(sound, schema)).toEqual([]);
  });

  test.each([
    ["agb:Session", "agb:Sesion", "web: there is no resource agb:Sesion"],
    ["agb:index:Context", "agb:index:Volume", "data: there is no resource agb:index:Volume"],
    ["repository: x", "repo: x", "account: there is no property repo"],
    ["imageId: image", "imageID: image", "web: there is no property imageID"],
    ["imageId: image", "policyId: image", "web: the property imageId is missing"],
    ["imageId: image", "imageId: 7", "web.imageId: must be of the type string"],
    ["keepAlive: true", "keepAlive: yes please", "web.keepAlive: must be of the type boolean"],
    ["Seconds: 600", "Seconds: soon", "web.idleTimeoutSeconds: must be of the type integer"],
    [`{ team: '${read("data.name")}' }`, "[team]", "web.labels: must be an object"],
    [`'${read("data.name")}'`, "7", "web.labels.team: must be of the type string"],
    ["ignoreLabels: [a]", "ignoreLabels: a", "web.ignoreLabels: must be a list"],
    ["path: /data", "paht: /data", "web.contextSyncs[0]: there is no property paht"],
    ["path: /data", "path: 7", "web.contextSyncs[0].path: must be of the type string"],
    [
      "agb:getSession, arguments: { sessionId: a",
      "agb:readSession, arguments: { sessionId: a",
      "status: there is no function agb:readSession",
    ],
    ["sessionId: a", "id: a", "status: there is no property id"],
    ["return: status", "return: state", "status: agb:getSession returns no state"],
    ["found.labels", "found.label", `${read("found.label")}: found has no label`],
    ["web.id", "web.sessionId", `${read("web.sessionId")}: web has no sessionId`],
    ["data.id", "date.id", `${read("date.id")}: there is no resource, variable or setting date`],
  ])("with %j as %j is reported", (from, to, problem) => {
    expect(sound).toContain(from);
    expect(
      programProblems(
        sound.replace(from, () => to),
        schema,
      ),
    ).toContain(problem);
  });
});
