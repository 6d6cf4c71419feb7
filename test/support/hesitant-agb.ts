import { sendRefusal, sendSuccess, startScriptedServer } from "./scripted-server";

/** An AGB that tells when a create has arrived and answers it when the test says so. It refuses the image `probe`. */
export async function startHesitantAgb() {
  let answer: () => void = () => undefined;
  let arrive: () => void = () => undefined;
  const answered = new Promise<void>((resolve) => {
    answer = resolve;
  });
  const arrived = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  const server = await startScriptedServer(async ({ path, query }, response) => {
    if (query["imageId"] === "probe") {
      sendRefusal(response, "InvalidParameter");
    } else if (path.endsWith("createSession")) {
      arrive();
      await answered;
      sendSuccess(response, { data: { sessionId: "session-1" } });
    } else {
      sendSuccess(response, {});
    }
  });
  return { server, answer, arrived };
}
