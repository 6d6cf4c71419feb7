/** What may serve the resources of a stack. */
export const hosts = ["dynamic", "plugin"] as const;

export type Host = (typeof hosts)[number];
