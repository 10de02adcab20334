import { setTimeout as sleep } from "node:timers/promises";

const { LINKED_IS_BASE_URL = "", LINKED_IS_API_TOKEN = "" } = process.env;
const LONGEST_WAIT = 60; // seconds

// Return the seconds of the body, or of the header (a number or a date), or the default.
async function secondsToWait(response, byDefault) {
  const header = response.headers.get("Retry-After") ?? "none";
  const body = await response.json().catch(() => null);
  const asked = [body?.error?.retryAfter, Number(header), (Date.parse(header) - Date.now()) / 1000, byDefault];
  return Math.ceil(asked.find(Number.isFinite));
}

const links = `${LINKED_IS_BASE_URL}/links`;
if (/^(?!https:).*linked\.is/i.test(links)) {
  console.error("linked.is needs https: correct LINKED_IS_BASE_URL in .env.");
  process.exit(1);
}
const headers = { Authorization: `Bearer ${LINKED_IS_API_TOKEN}` };
try {
  for (const waits of [0, 1, 2, 3]) {
    const response = await fetch(links, { headers, signal: AbortSignal.timeout(10_000) });
    console.log("Status:", response.status);
    process.exitCode = response.ok ? 0 : 1;
    if (![429, 503].includes(response.status) || waits === 3) break;
    const seconds = Math.max(1, await secondsToWait(response, 2 ** waits));
    if (seconds > LONGEST_WAIT) {
      console.error(`Come back in ${seconds} seconds.`);
      break;
    }
    console.log("Seconds to wait:", seconds);
    await sleep((seconds + Math.random()) * 1000); // so that not all programs come back at once
  }
} catch {
  console.error(`No answer from ${links}. Start the mock server, or correct .env.`);
  process.exitCode = 1;
}
