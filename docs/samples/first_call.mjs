const { LINKED_IS_BASE_URL = "", LINKED_IS_API_TOKEN = "" } = process.env;
const links = `${LINKED_IS_BASE_URL}/links`;
if (/^(?!https:).*linked\.is/i.test(links)) {
  console.error("linked.is needs https: correct LINKED_IS_BASE_URL in .env.");
  process.exit(1);
}
try {
  const response = await fetch(links, {
    headers: { Authorization: `Bearer ${LINKED_IS_API_TOKEN}` },
    signal: AbortSignal.timeout(10_000),
  });
  const body = await response.json();
  console.log(response.status, response.statusText);
  if (body.success) {
    for (const link of body.data) console.log(link.shortUrl, link.clicks);
  } else {
    console.error(`${body.error.code} - ${body.error.message}`);
    if (response.status === 401) console.error("The reasons: docs/reference/why-a-token-stops-working.md");
    process.exitCode = 1;
  }
} catch {
  console.error(`No answer from ${links}. Start the mock server, or correct .env.`);
  process.exitCode = 1;
}
