import { z } from "zod";
import { checkLabelLimits, parseLabelText } from "../labels";
import type { Settings } from "../options";
import { requiredText, route } from "./route";
import { sessionConnection } from "./session-access";

const body = z.object({
  labels: z.string({ error: "must be a text that holds a JSON object" }).nullish(),
  timeout: z
    .int({ error: "must be a whole number of seconds" })
    .min(0, { error: "must be a whole number of seconds, not negative" })
    .nullish(),
  mcpPolicyId: z.string({ error: "must be a text" }).nullish(),
  persistenceDataList: z
    .array(
      z.object(
        {
          contextId: z.string({ error: "must be a text" }),
          path: z.string({ error: "must be a text" }),
          policy: z.string({ error: "must be a text that holds a JSON object" }).nullish(),
        },
        { error: "must be an object" },
      ),
      { error: "must be a list" },
    )
    .nullish(),
});

/** POST /mcp/createSession. The query's `sdkStats` and the body's `sessionId` and `contextId` are ignored. */
export const createSession = route({
  method: "POST",
  path: "/mcp/createSession",
  operation: "createSession",
  writes: true,
  query: z.object({ imageId: requiredText }),
  body,
  handle({ query: { imageId }, body: { labels: labelText, timeout, mcpPolicyId } }, { store, settings }) {
    const labels = labelText ? parseLabelText("labels", labelText) : {};
    checkLabelLimits("labels", labels, settings.labelLimits);
    if (!isKnownImage(imageId, settings.images)) {
      return refusal(`Image ${JSON.stringify(imageId.slice(0, 100))} does not exist or is not activated.`);
    }
    if (settings.maximumSessions !== undefined && store.list({}).length >= settings.maximumSessions) {
      return refusal(`The quota of ${settings.maximumSessions} concurrent sessions is exceeded.`);
    }
    const policyId = mcpPolicyId || undefined;
    const policy =
      policyId !== undefined && Object.hasOwn(settings.policies, policyId) ? settings.policies[policyId] : {};
    const record = store.create({
      imageId,
      policyId,
      labels,
      // One of AGB's SDKs sends a timeout of 0 and the other leaves it out, so both mean the same.
      idleTimeoutSeconds: timeout || (policy?.idleTimeoutSeconds ?? settings.defaultIdleTimeoutSeconds),
      maximumLifetimeSeconds: policy?.maximumLifetimeSeconds ?? settings.maximumLifetimeSeconds,
    });
    return { data: { success: true, ...sessionConnection(record) } };
  },
});

/** A failure inside a reply that reports success: AGB's SDKs look for it there on create. */
function refusal(errMsg: string) {
  return { data: { success: false, errMsg } };
}

function isKnownImage(imageId: string, images: Settings["images"]): boolean {
  return images.some((known) => (known.endsWith("*") ? imageId.startsWith(known.slice(0, -1)) : imageId === known));
}
