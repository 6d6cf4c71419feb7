import type { EmulatorNoticeCode, EmulatorStartErrorCode } from "../emulator";
import { type MessageCode, withCode } from "../messages/message-codes";

/** The codes of the emulator's problems. The emulator imports nothing from here, so it has its own names for them. */
const codes: Readonly<Record<EmulatorStartErrorCode | EmulatorNoticeCode, MessageCode>> = {
  INVALID_OPTION: "AGB801",
  PORT_UNAVAILABLE: "AGB802",
  STATE_FILE_IN_USE: "AGB803",
  STATE_FILE_BROKEN: "AGB804",
  STATE_FILE_UNUSABLE: "AGB805",
  NOT_ISOLATED: "AGB807",
  TOOLS_UNAVAILABLE: "AGB808",
  UPLOAD_FAILED: "AGB809",
  STATE_NOT_SAVED: "AGB810",
};

/** A problem of the emulator as a line for standard error, without a line end. @param problem its name, or its code */
export function emulatorProblem(text: string, problem: keyof typeof codes | MessageCode): string {
  const code = problem in codes ? codes[problem as keyof typeof codes] : (problem as MessageCode);
  return `pulumi-agb emulator: ${withCode(withoutControls(text), code)}`;
}

/** Why the state could not be saved when the emulator stopped, as a line for standard error. */
export function unsavedState(error: Error): string {
  const reason = error.message.replace(/\.$/, "");
  return emulatorProblem(`Could not save the last changes of the state: ${reason}. Check the state file.`, "AGB810");
}

// A file name may contain control characters, which a terminal would obey.
function withoutControls(text: string): string {
  return text.replace(/\p{Cc}/gu, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
