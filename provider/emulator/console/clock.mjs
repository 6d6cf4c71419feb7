// The emulator's clock in the page's head.

import { setText } from "./elements.mjs";
import { dayAndTimeText, durationText } from "./time-text.mjs";

const now = document.getElementById("clock-now");
const ahead = document.getElementById("clock-ahead");

export function showClock(nowMs) {
  setText(now, dayAndTimeText(nowMs));
  // A second or two are delay, not a clock that was moved.
  const aheadMs = nowMs - Date.now();
  setText(ahead, aheadMs > 3000 ? `${durationText(aheadMs + 500)} ahead` : "");
}
