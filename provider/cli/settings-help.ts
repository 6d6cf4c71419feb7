/** The environment variables of commands that call AGB, for their help. */
export const agbVariables = {
  AGB_API_KEY: "API key of AGB",
  AGB_ENDPOINT: "address of AGB, if it is not the public service",
  AGB_TIMEOUT_MS: "limit of a call with its retries, in milliseconds",
} as const;
