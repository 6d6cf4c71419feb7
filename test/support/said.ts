/** What was written to the error stream, which a test has replaced with `jest.spyOn(console, "error")`. */
export function said(): string {
  return jest.mocked(console.error).mock.calls.flat().join("\n");
}
