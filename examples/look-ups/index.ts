import * as pulumi from "@pulumi/pulumi";
import { AgbSession, getAgbContextOutput, getAgbSessionsOutput } from "pulumi-agb";

const config = new pulumi.Config();
const labels = { project: config.get("project") ?? "shop" };

// A context that another stack declares, if you name one.
const contextName = config.get("context");
const cache = contextName === undefined ? undefined : getAgbContextOutput({ name: contextName });

const web = new AgbSession("web", {
  imageId: "agb-code-space-1",
  labels,
  contextSyncs: cache ? [{ contextId: cache.contextId, path: "/home/user/cache" }] : [],
  // Each update restarts the idle time.
  keepAlive: true,
});

// All sessions with these labels, also those of other stacks. AGB is asked after `web` was created.
const found = getAgbSessionsOutput({ labels }, { dependsOn: web });

export const sessionId = web.sessionId;
export const contextId = cache?.contextId ?? "none";
export const sessionIds = found.sessionIds;
export const stacks = found.sessions.apply((sessions) =>
  sessions.map(({ labelsAll }) => labelsAll["pulumi-stack"] ?? "none"),
);

// A link holds a token, so it is secret. `pulumi stack output link --show-secrets` shows it.
export const link = web.link(30100);
