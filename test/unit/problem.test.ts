import { propertyPath } from "../../provider/messages/problem";

test.each([
  [["labels", "team"], "labels.team"],
  [["labels", "team_2"], "labels.team_2"],
  [["labels", "a b"], 'labels["a b"]'],
  [["labels", "a.b"], 'labels["a.b"]'],
  [["labels", "2"], 'labels["2"]'],
  [["labels", 'say "hi"'], 'labels["say \\"hi\\""]'],
  [["labels", ""], 'labels[""]'],
  [["ignoreLabels", 1], "ignoreLabels[1]"],
  [["contextSyncs", 0, "policy", "recycle"], "contextSyncs[0].policy.recycle"],
])("the path %j is written as %s", (path, written) => {
  expect(propertyPath(path)).toBe(written);
});
