import { createServer } from "node:http";

const { LINKED_IS_BASE_URL = "", LINKED_IS_API_TOKEN = "", PORT = "3000" } = process.env;
if (/^(?!https:).*linked\.is/i.test(LINKED_IS_BASE_URL)) {
  console.error("linked.is needs https: correct LINKED_IS_BASE_URL in .env.");
  process.exit(1);
}

async function readLinks() {
  const response = await fetch(`${LINKED_IS_BASE_URL}/links`, {
    headers: { Authorization: `Bearer ${LINKED_IS_API_TOKEN}` },
    signal: AbortSignal.timeout(10_000),
  });
  console.log("The API answered with status", response.status);
  const { data } = await response.json();
  // Name the fields that visitors may see. All others stay on the server.
  return data.map(({ shortUrl, clicks }) => ({ shortUrl, clicks }));
}

let kept = null;
const forget = () => (kept = null);

// Everybody may ask, so all visitors together use one call a minute.
function publicLinks() {
  if (!kept) {
    kept = readLinks();
    kept.then(() => setTimeout(forget, 60_000), forget);
  }
  return kept;
}

const server = createServer(async (request, response) => {
  let [status, body] = [404, { error: "Not found" }];
  if (request.method === "GET" && request.url === "/links") {
    try {
      [status, body] = [200, await publicLinks()];
    } catch {
      // Don't send the error itself: it can contain the header, and with it the token.
      [status, body] = [502, { error: "No links at the moment" }];
    }
  }
  response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
});
server.listen(PORT, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}/links`));
