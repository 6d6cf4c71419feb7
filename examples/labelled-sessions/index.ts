import * as pulumi from "@pulumi/pulumi";
import { AgbSession } from "pulumi-agb";

const environment = pulumi.getStack();

const sessions = {
  web: new AgbSession("web", {
    imageId: "agb-code-space-1",
    labels: { project: "shop", environment, team: "storefront" },
  }),
  browser: new AgbSession("browser", {
    imageId: "agb-browser-use-1",
    labels: { project: "shop", environment, team: "quality" },
    idleTimeoutSeconds: 600,
  }),
};

export const sessionIds = { web: sessions.web.sessionId, browser: sessions.browser.sessionId };
export const labels = { web: sessions.web.labels, browser: sessions.browser.labels };
