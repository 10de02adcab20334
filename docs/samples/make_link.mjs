const { LINKED_IS_BASE_URL = "", LINKED_IS_API_TOKEN = "" } = process.env;
const links = `${LINKED_IS_BASE_URL}/links`;
if (/^(?!https:).*linked\.is/i.test(links)) {
  console.error("linked.is needs https: correct LINKED_IS_BASE_URL in .env.");
  process.exit(1);
}
const headers = { Authorization: `Bearer ${LINKED_IS_API_TOKEN}`, "Content-Type": "application/json" };
const newLink = { url: "https://example.com/summer-menu", title: "Summer menu" };
try {
  const signal = AbortSignal.timeout(10_000); // for both calls together
  const made = await fetch(links, { method: "POST", headers, body: JSON.stringify(newLink), signal });
  const { success, data, error } = await made.json();
  if (success) {
    console.log(`Made: ${made.status}, ${data.title}, leads to ${data.url}, ${data.clicks} clicks`);
    const deleted = await fetch(`${links}/${data.id}`, { method: "DELETE", headers, signal });
    console.log("Deleted:", deleted.status);
  } else {
    console.error(`${error.code} - ${error.message}`);
    process.exitCode = 1;
  }
} catch {
  console.error(`No answer from ${links}. Start the mock server, or correct .env.`);
  process.exitCode = 1;
}
