import * as pulumi from "@pulumi/pulumi";
import { AgbContext, AgbSession } from "pulumi-agb";

const settings = new pulumi.Config("sandbox");

const work = new AgbContext("work", {
  // AGB knows a context by its name alone, so each stack has its own.
  name: `${pulumi.getProject()}-${pulumi.getStack()}`,
  // `pulumi destroy` fails while the context holds files, unless the stack says that they may go.
  forceDestroy: settings.getBoolean("deleteFiles") ?? false,
});

const sandbox = new AgbSession("sandbox", {
  imageId: "agb-code-space-1",
  labels: { project: pulumi.getProject(), environment: pulumi.getStack() },
  contextSyncs: [
    {
      contextId: work.contextId,
      path: "/home/user/work",
      // Every part of the policy has a default; this one lets AGB delete what nobody has used for a month.
      policy: { recyclePolicy: { lifecycle: "Lifecycle_30Days" } },
    },
  ],
});

export const sessionIds = { sandbox: sandbox.sessionId };
export const context = { id: work.contextId, name: work.name };
