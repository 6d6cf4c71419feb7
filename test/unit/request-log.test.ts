import { requestLine } from "../../provider/cli/request-log";

const entry = {
  atMs: Date.UTC(2026, 4, 1, 12, 0, 0, 5),
  operation: "GetLabel",
  method: "GET",
  path: "/sdk/GetLabel",
  status: 200,
  durationMs: 1.23456,
  requestId: "6F1C",
  sessionId: "session-a",
} as const;

test("json is one object per line", () => {
  expect(JSON.parse(requestLine(entry, "json"))).toEqual({
    time: "2026-05-01T12:00:00.005Z",
    operation: "GetLabel",
    method: "GET",
    path: "/sdk/GetLabel",
    status: 200,
    durationMs: 1.235,
    requestId: "6F1C",
    sessionId: "session-a",
  });
});

test("pretty has columns", () => {
  expect(requestLine(entry, "pretty")).toMatch(/^12:00:00\.005 {2}200 {4}GetLabel +1\.2 ms {2}6F1C {2}session-a$/);
  expect(requestLine({ ...entry, status: 0, operation: "unknown", path: "/a\nb" }, "pretty")).toMatch(
    /^12:00:00\.005 {2}reset {2}GET \/a\\nb /,
  );
});
