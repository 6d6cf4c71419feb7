import * as pulumi from "@pulumi/pulumi";
import { AgbSession } from "pulumi-agb";

const config = new pulumi.Config();

const sandbox = new AgbSession("sandbox", {
  imageId: config.get("imageId") ?? "agb-code-space-1",
  labels: {
    project: pulumi.getProject(),
    environment: pulumi.getStack(),
  },
});

export const sessionId = sandbox.sessionId;
export const labels = sandbox.labels;
