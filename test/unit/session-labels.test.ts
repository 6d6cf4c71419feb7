import { describeSession } from "../../provider/kinds/session-labels";

test.each([
  ["web", 'AgbSession "web" (session session-1)'],
  [undefined, "AgbSession (session session-1)"],
])("a message describes a session of the resource %j", (resource, description) => {
  expect(describeSession("session-1", resource)).toBe(description);
});
