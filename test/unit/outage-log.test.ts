import * as fc from "fast-check";
import { AgbApiError, AgbError, AgbNetworkError } from "../../provider/api/errors";
import { OutageLog } from "../../provider/kinds/outage-log";

const endpoint = "https://agb.example";
const refused = new AgbNetworkError("getSession", endpoint, false, "connect ECONNREFUSED 127.0.0.1:1");
const broken = new AgbNetworkError("getSession", endpoint, true, "reset");

function answered(status: number): AgbApiError {
  return new AgbApiError("SetLabel", { code: "", reason: "no", status, requestId: "", isFromAgb: true });
}

/** An outage log whose lines and time a test has in its hands. */
class Observed {
  readonly lines: string[] = [];
  private nowMs = 0;
  private readonly log = new OutageLog(
    endpoint,
    (line) => this.lines.push(line),
    () => this.nowMs,
  );

  pass(milliseconds: number): this {
    this.nowMs += milliseconds;
    return this;
  }

  fail(error: AgbError, attempt = 1): this {
    this.log.seeRetry({ operation: error.operation, attempt, delayMs: 100, error });
    return this;
  }

  reply(status = 200, durationMs = 0): this {
    this.log.seeExchange({ operation: "getSession", status, durationMs, sent: {}, received: undefined, clean: String });
    return this;
  }
}

const refusedLine =
  "no connection to https://agb.example for getSession: connect ECONNREFUSED 127.0.0.1:1. " +
  "This call and others that fail in the same way are retried. [AGB301]";

test("calls that succeed are not reported", () => {
  expect(new Observed().reply().reply(404).lines).toEqual([]);
});

test("an outage is reported in one line, however many calls fail, and its end in one line with how long it lasted", () => {
  const log = new Observed();
  for (let resource = 0; resource < 100; resource++) {
    log.fail(refused).pass(40).fail(refused, 2);
  }
  expect(log.lines).toEqual([refusedLine]);
  log.pass(8_000).reply().reply();
  expect(log.lines).toEqual([refusedLine, "https://agb.example answers again, after 12 s."]);
});

test("an outage that changes its kind is reported again, once for each kind", () => {
  const log = new Observed().fail(refused).fail(broken).fail(answered(503)).fail(refused).fail(broken);
  expect(log.lines).toEqual([refusedLine, expect.stringContaining(" broke during "), expect.stringContaining("503")]);
  expect(log.pass(500).reply().lines).toHaveLength(4);
});

test.each([0, 408, 429, 500, 503])("a reply with status %i does not end an outage", (status) => {
  expect(new Observed().fail(refused).pass(100).reply(status).lines).toHaveLength(1);
});

test("the reply to a call that began before the last failure does not end an outage", () => {
  const log = new Observed().pass(1_000).fail(refused).pass(10).reply(200, 500);
  expect(log.lines).toHaveLength(1);
  expect(log.pass(90).reply(200, 50).lines).toEqual([refusedLine, expect.stringMatching(/after 0\.1 s\.$/)]);
});

test("a limited rate of calls is reported once, with what helps, and its end is not", () => {
  const log = new Observed().fail(answered(429)).fail(answered(429)).pass(50).reply().fail(answered(429)).reply();
  expect(log.lines).toEqual([
    "AGB refused SetLabel: no (HTTP 429). Calls wait as long as AGB asks. " +
      "To avoid this, make fewer calls at a time, such as with `pulumi up --parallel 4`. [AGB308]",
  ]);
});

test("an outage that begins in the quiet minute and outlasts it is reported", () => {
  const log = new Observed().fail(refused).pass(100).reply();
  expect(log.lines).toHaveLength(2);
  log.pass(1_000).fail(refused);
  expect(log.lines).toHaveLength(2);
  log.pass(60_000).fail(refused);
  expect(log.lines).toEqual([...log.lines.slice(0, 2), refusedLine]);
});

test("no kind of trouble is reported more than once a minute, and no end without a beginning", () => {
  const event = fc.oneof(
    fc.constantFrom(refused, broken, answered(429), answered(500)),
    fc.integer({ min: 0, max: 600 }),
    fc.integer({ min: 1, max: 10_000 }).map((ms) => ({ ms })),
  );
  fc.assert(
    fc.property(fc.array(event, { maxLength: 200 }), (events) => {
      const log = new Observed();
      let passedMs = 0;
      for (const each of events) {
        if (each instanceof AgbError) {
          log.fail(each);
        } else if (typeof each === "number") {
          log.reply(each);
        } else {
          passedMs += each.ms;
          log.pass(each.ms);
        }
      }
      const ends = log.lines.filter((line) => line.includes("answers again")).length;
      const beginnings = log.lines.length - ends;
      expect(beginnings).toBeLessThanOrEqual(4 * (1 + Math.floor(passedMs / 60_000)));
      expect(ends).toBeLessThanOrEqual(beginnings);
      expect(log.lines.join("")).not.toMatch(/\n/);
    }),
  );
});
