/** Why an emulator could not start. */
export type EmulatorStartErrorCode =
  | "INVALID_OPTION"
  | "PORT_UNAVAILABLE"
  | "STATE_FILE_BROKEN"
  | "STATE_FILE_IN_USE"
  | "STATE_FILE_UNUSABLE";

/** Thrown by `startEmulator`. The message says what is wrong and what to do, and can be shown to users as it is. */
export class EmulatorStartError extends Error {
  override readonly name = "EmulatorStartError";

  constructor(
    readonly code: EmulatorStartErrorCode,
    message: string,
    // Not `ErrorOptions`, which the compiler knows only for programs of ES2022 and later.
    options?: { readonly cause?: unknown },
  ) {
    super(message, options);
  }
}
