import * as pulumi from "@pulumi/pulumi";
import { AgbCommand, AgbSession } from "pulumi-agb";

const settings = new pulumi.Config("site");

const sandbox = new AgbSession("sandbox", {
  imageId: "agb-code-space-1",
  labels: { project: pulumi.getProject(), environment: pulumi.getStack() },
});

const sources = new AgbCommand("sources", {
  sessionId: sandbox.sessionId,
  create: "mkdir -p site && cat > site/page.html",
  // What the command reads from standard input. A change runs it again.
  stdin: `<h1>${settings.get("title") ?? "Hello"}</h1>\n`,
});

const build = new AgbCommand(
  "build",
  {
    sessionId: sandbox.sessionId,
    create: 'mkdir -p dist && { cat page.html; echo "<p>$FOOTER</p>"; } > dist/index.html && cat dist/index.html',
    delete: "rm -rf dist && echo removed dist",
    workingDirectory: "/home/user/site",
    environment: { FOOTER: settings.get("footer") ?? "Built in a sandbox" },
    timeoutSeconds: 60,
    // New sources: `delete`, then `create`.
    triggers: [settings.get("title")],
  },
  { dependsOn: sources },
);

export const sessionIds = { sandbox: sandbox.sessionId };
export const page = build.stdout;
