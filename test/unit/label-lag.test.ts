import { LabelLag } from "../../provider/lifecycle/label-lag";

test("a search takes a minute if no lag was seen", () => {
  expect(new LabelLag().searchMs()).toBe(60_000);
});

test.each([
  [[1_000], 60_000],
  [[30_000], 120_000],
  [[30_000, 2_000], 120_000],
  [[2_000, 30_000], 120_000],
  [[600_000], 300_000],
])("after lags of %p ms a search takes %i ms: four times the longest, within bounds", (lags, searchMs) => {
  const lag = new LabelLag();
  for (const each of lags) {
    lag.note(each);
  }
  expect(lag.searchMs()).toBe(searchMs);
});
