import { describeSession } from "../../provider/kinds/session-labels";

test.each([
  ["web", 'session "web" (session-1)'],
  [undefined, "session session-1"],
])("a message describes a session of the resource %j", (resource, description) => {
  expect(describeSession("session-1", resource)).toBe(description);
});
