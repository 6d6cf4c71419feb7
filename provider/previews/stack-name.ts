const pattern = /^pr-([1-9]\d{0,14})$/;

/** Name of the stack of a request. */
export function stackOfRequest(request: number): string {
  return `pr-${request}`;
}

/** The request that a stack belongs to; `undefined` when it belongs to none. @param stack name without organization */
export function requestOfStack(stack: string): number | undefined {
  const digits = pattern.exec(stack)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** The name by which the Pulumi CLI knows a stack. */
export function qualifyStack(stack: string, organization: string | undefined): string {
  return organization === undefined ? stack : `${organization}/${stack}`;
}

/**
 * The request whose stack is listed under this name; `undefined` for other stacks, including those of other
 * organizations.
 */
export function requestOfListedStack(name: string, organization: string | undefined): number | undefined {
  const prefix = organization === undefined ? "" : `${organization}/`;
  return requestOfStack(name.startsWith(prefix) ? name.slice(prefix.length) : name);
}

/**
 * Reads the number of a request.
 *
 * @throws Error when it is not one
 */
export function parseRequest(text: string): number {
  const request = requestOfStack(`pr-${text}`);
  if (request === undefined) {
    throw new Error("Give the number of a request, such as 12.");
  }
  return request;
}

/**
 * Reads the id of a commit, in full or shortened.
 *
 * @throws Error when it is not one
 */
export function parseCommit(text: string): string {
  if (!/^[0-9a-f]{7,64}$/i.test(text)) {
    throw new Error("Give 7 to 64 hexadecimal digits.");
  }
  return text.toLowerCase();
}

/** Reads the name of an organization. @throws Error when it is not one */
export function parseOrganization(text: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(text)) {
    throw new Error("Give letters, digits, `_`, `.` and `-`, beginning with a letter or digit.");
  }
  return text;
}
