const links = `${process.env.LINKED_IS_BASE_URL ?? ""}/links`;
const attempts = { "No token": {}, "A wrong token": { Authorization: "Bearer this-is-no-token" } };
try {
  for (const [name, headers] of Object.entries(attempts)) {
    const response = await fetch(links, { headers, signal: AbortSignal.timeout(10_000) });
    console.log(`${name}: ${response.status} ${(await response.json()).error.code}`);
  }
} catch {
  console.error(`No answer from ${links}. Start the mock server, or correct .env.`);
  process.exitCode = 1;
}
