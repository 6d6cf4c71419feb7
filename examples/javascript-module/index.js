import * as pulumi from "@pulumi/pulumi";
import { AgbSession } from "pulumi-agb";

const web = new AgbSession("web", {
  imageId: "agb-code-space-1",
  labels: { project: "shop", environment: pulumi.getStack(), team: "storefront" },
});

export const sessionIds = { web: web.sessionId };
export const labels = { web: web.labels };
