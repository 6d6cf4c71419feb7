import { providerReference } from "../../provider/resources/reference";
import { startHostProcess } from "../support/host-process";
import { hosts } from "../support/resource-hosts";
import { sendJson, sendRefusal, sendSuccess, startScriptedServer } from "../support/scripted-server";

const key = "s3cret-key";
const otherKey = "s3cret-environment-key";
const secretLabel = "s3cret-label";

/** What AGB hands out beside the parts of a session that never change. */
const volatile = {
  token: "s3cret-token",
  authCode: "s3cret-authcode",
  ticket: "s3cret-ticket",
  resourceUrl: "https://s3cret-resource.example.com/?ticket=s3cret-ticket",
  networkInterfaceIp: "s3cret-ip",
};

/** An AGB whose every reply holds secrets, and that fails now and then with secrets in its words. */
async function startTalkativeAgb() {
  let labels: unknown = "{}";
  let lostReads = 1;
  let released = false;
  return startScriptedServer(({ path, query, body }, response) => {
    const operation = path.slice(path.lastIndexOf("/") + 1);
    const session = { sessionId: "session-1", appInstanceId: "ai-1", resourceId: "p-1", ...volatile };
    if (released && operation !== "createSession") {
      sendRefusal(response, "InvalidMcpSession.NotFound", "no such session");
    } else if (operation === "ListSession") {
      sendSuccess(response, { data: [{ sessionId: "session-1", ...volatile }], ...volatile });
    } else if (operation === "createSession") {
      labels = (JSON.parse(body) as { labels: string }).labels;
      sendSuccess(response, { message: `made for ${key}`, data: { success: true, ...session } });
    } else if (operation === "GetLabel" && lostReads-- > 0) {
      sendJson(response, { success: false, code: "Busy", message: `${key} is busy`, ...volatile }, 503);
    } else if (operation === "GetLabel") {
      sendSuccess(response, { data: { labels, ...volatile } });
    } else if (operation === "SetLabel") {
      labels = JSON.parse(query["Labels"] ?? "{}");
      sendSuccess(response, { data: volatile });
    } else if (operation === "releaseSessionAsync") {
      released = true;
      sendSuccess(response, { data: volatile });
    } else {
      sendSuccess(response, { data: session });
    }
  });
}

/** What the user sees of the read that such an AGB fails once. */
const outage = [
  expect.stringMatching(
    /^agb: AGB refused GetLabel: \[API key\] is busy \(.*HTTP 503.*\)\. This call .* retried\. \[AGB307\]$/,
  ),
  expect.stringMatching(/^agb: \S+ answers again, after \d\.\d s\.$/),
];

describe.each(hosts)("served by the %s host", (host) => {
  test("a whole life with the debug log on shows no key, token, code, ticket, link or label anywhere", async () => {
    const agb = await startTalkativeAgb();
    const environment = { AGB_LOG_LEVEL: "debug", AGB_API_KEY: otherKey, AGB_ENDPOINT: agb.url };
    const provider = await startHostProcess(host, environment);
    await provider.configure({ "agb:apiKey": key });
    const owner = {
      "pulumi-project": "shop",
      "pulumi-stack": "dev",
      "pulumi-stack-id": "0123456789abcdef",
      "pulumi-resource": "web",
    };
    const declare = (labels: Record<string, string>) => ({
      imageId: "agb-code-space-1",
      labels,
      labelsAll: { ...labels, ...owner },
      __provider: providerReference("session"),
    });

    const { inputs, failures } = await provider.session.check({}, declare({ status: secretLabel }));
    expect(failures).toEqual([]);
    const { id, outs } = await provider.session.create(inputs);
    const read = await provider.session.read(id, outs);
    const { inputs: changed } = await provider.session.check(inputs, declare({ code: secretLabel, message: "plain" }));
    const { outs: updated } = await provider.session.update(id, outs, changed);
    await provider.session.delete(id, updated);
    const gone = await provider.session.update(id, updated, inputs).catch((error: Error) => error);
    await provider.close();

    // The label is an output because the program declared it; Pulumi keeps it secret as the input was.
    const outputs = JSON.stringify([outs, read, updated]).replaceAll(secretLabel, "");
    expect(outputs).not.toContain("s3cret");
    expect((gone as Error).message).not.toContain("s3cret");
    expect(provider.printed()).not.toContain("s3cret");
    expect(provider.said()).not.toContain("s3cret");

    // The log is really on, and an outage is one line with its reason and one with its end.
    const lines = provider.said().trim().split("\n");
    for (const operation of ["createSession", "getMcpResource", "GetLabel", "SetLabel", "releaseSessionAsync"]) {
      expect(lines.filter((line) => line.startsWith(`agb: ${operation} HTTP 200 in `))).not.toEqual([]);
    }
    expect(lines.filter((line) => !/^agb: \w+ HTTP /.test(line))).toEqual(outage);
  });

  test("without the debug log only outages are reported", async () => {
    const agb = await startTalkativeAgb();
    const provider = await startHostProcess(host, { AGB_API_KEY: key, AGB_ENDPOINT: agb.url });
    await provider.configure({});
    await provider.session.read("session-1", { __provider: providerReference("session") });
    await provider.close();
    expect(provider.said().trim().split("\n")).toEqual(outage);
  });
});
