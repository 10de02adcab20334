const { LINKED_IS_BASE_URL = "", LINKED_IS_API_TOKEN = "" } = process.env;
const links = `${LINKED_IS_BASE_URL}/links`;
if (/^(?!https:).*linked\.is/i.test(links)) {
  console.error("linked.is needs https: correct LINKED_IS_BASE_URL in .env.");
  process.exit(1);
}
try {
  const { headers } = await fetch(links, {
    headers: { Authorization: `Bearer ${LINKED_IS_API_TOKEN}` },
    signal: AbortSignal.timeout(10_000),
  });
  const limit = Number(headers.get("X-RateLimit-Limit"));
  const remaining = Number(headers.get("X-RateLimit-Remaining"));
  console.log("X-RateLimit-Limit:", limit);
  console.log("Remaining is lower:", remaining < limit ? "yes" : "no");
} catch {
  console.error(`No answer from ${links}. Start the mock server, or correct .env.`);
  process.exitCode = 1;
}
