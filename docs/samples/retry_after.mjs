import { setTimeout as sleep } from "node:timers/promises";

const { LINKED_IS_BASE_URL = "", LINKED_IS_API_TOKEN = "" } = process.env;
const links = `${LINKED_IS_BASE_URL}/links`;
const headers = { Authorization: `Bearer ${LINKED_IS_API_TOKEN}` };
try {
  for (const waitsLeft of [3, 2, 1, 0]) {
    const response = await fetch(links, { headers, signal: AbortSignal.timeout(10_000) });
    console.log("Status:", response.status);
    process.exitCode = response.ok ? 0 : 1;
    if (response.status !== 429 || waitsLeft === 0) break;
    // linked.is doesn't document this header. Without it, wait for the next minute.
    const seconds = Number(response.headers.get("Retry-After") ?? 60);
    console.log("Seconds to wait:", seconds);
    await sleep(seconds * 1000);
  }
} catch {
  console.error(`No answer from ${links}. Start the mock server, or correct .env.`);
  process.exitCode = 1;
}
