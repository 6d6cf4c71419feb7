import * as pulumi from "@pulumi/pulumi";
import { AgbSession } from "pulumi-agb";

const preview = new pulumi.Config("preview");
const request = preview.require("request");
// A job names the commit; whoever runs Pulumi by hand need not, and then no label claims one.
const commit = preview.get("commit");

const sandbox = new AgbSession("sandbox", {
  imageId: "agb-code-space-1",
  labels: {
    project: pulumi.getProject(),
    environment: `pr-${request}`,
    request,
    ...(commit && { commit }),
  },
  // Idle or not, AGB ends a session 30 minutes after its create: until then it shall wait for whoever reviews.
  idleTimeoutSeconds: 1800,
});

export const sessionIds = { sandbox: sandbox.sessionId };
export const labels = { sandbox: sandbox.labels };
