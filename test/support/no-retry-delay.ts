/** Sets the jitter of retries to zero, so that tests of retries do not wait. `Retry-After` still counts. */
export function withoutRetryDelay(): void {
  beforeEach(() => {
    jest.spyOn(Math, "random").mockReturnValue(0);
  });
  afterEach(() => {
    jest.restoreAllMocks();
  });
}
