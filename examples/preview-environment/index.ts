import * as pulumi from "@pulumi/pulumi";
import { AgbSession } from "pulumi-agb";

const preview = new pulumi.Config("preview");
const request = preview.require("request");
// Jobs set the commit. It is optional when you run Pulumi by hand; then the session has no such label.
const commit = preview.get("commit");

const sandbox = new AgbSession("sandbox", {
  imageId: "agb-code-space-1",
  labels: {
    project: pulumi.getProject(),
    environment: `pr-${request}`,
    request,
    ...(commit && { commit }),
  },
  // AGB ends any session after 30 minutes. Reviewers have that long, even if the session is idle.
  idleTimeoutSeconds: 1800,
});

export const sessionIds = { sandbox: sandbox.sessionId };
export const labels = { sandbox: sandbox.labels };
