/** Keeps what is written to the error stream in each test of a file, for `said`, and out of the test's output. */
export function captureErrorStream(): void {
  beforeEach(() => {
    jest.spyOn(console, "error").mockImplementation();
  });
  afterEach(() => {
    jest.restoreAllMocks();
  });
}

/** What was written to the error stream in this test, see `captureErrorStream`. */
export function said(): string {
  return jest.mocked(console.error).mock.calls.flat().join("\n");
}
