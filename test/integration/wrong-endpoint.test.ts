import { testKey } from "../support/agb-emulator";
import { hosts, openHost } from "../support/resource-hosts";
import { sendJson, startScriptedServer } from "../support/scripted-server";
import { declare } from "../support/session-stack";

describe.each(hosts)("served by the %s host", (host) => {
  const notFoundPages: [string, (response: Parameters<typeof sendJson>[0]) => void][] = [
    ["an HTML page", (response) => void response.writeHead(404, { "content-type": "text/html" }).end("<h1>404</h1>")],
    ["JSON of another service", (response) => sendJson(response, { detail: "Not Found" }, 404)],
  ];

  describe.each(notFoundPages)("an endpoint with a wrong path, which answers 404 with %s", (_, answer) => {
    test.each(["refresh", "create", "update", "delete"])(
      "is named by a %s, with the setting to change",
      async (verb) => {
        const server = await startScriptedServer((_, response) => answer(response));
        const { session: provider } = openHost(host, { AGB_API_KEY: testKey, AGB_ENDPOINT: `${server.url}/wrong` });
        const inputs = declare();
        const failure = await {
          refresh: () => provider.read("session-1", inputs),
          create: () => provider.create(inputs),
          update: () => provider.update("session-1", inputs, declare({ team: "data" })),
          delete: () => provider.delete("session-1", inputs),
        }
          [verb as "refresh"]()
          .then(
            () => undefined,
            (error: Error) => error,
          );
        expect(failure?.message).toContain(`${server.url}/wrong/`);
        expect(failure?.message).toContain("from AGB_ENDPOINT. To change it, set AGB_ENDPOINT in the environment");
        expect(failure?.message).not.toMatch(/<h1>|labels=|team/);
      },
    );
  });
});
