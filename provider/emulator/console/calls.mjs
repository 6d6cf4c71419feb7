// Requests that change something in the emulator.

/** Only the page that the emulator served has it. With it and the origin the emulator recognises its own page. */
export const pageToken = document.querySelector('meta[name="emulator-token"]').content;

/** Rejects with an Error whose message can be shown. */
export async function change(method, path, body = {}) {
  const response = await fetch(path, {
    method,
    headers: { "content-type": "application/json", "x-emulator-token": pageToken },
    body: JSON.stringify(body),
  }).catch(() => {
    throw new Error("The emulator does not answer. Check that it is running.");
  });
  if (!response.ok) {
    const { message } = await response.json().catch(() => ({}));
    throw new Error(message ?? `The emulator answered with status ${response.status}.`);
  }
}
