/** Makes the jitter of retries nothing, so that tests of retries do not wait; `Retry-After` is still obeyed. */
export function withoutRetryDelay(): void {
  beforeEach(() => {
    jest.spyOn(Math, "random").mockReturnValue(0);
  });
  afterEach(() => {
    jest.restoreAllMocks();
  });
}
