import assert from "node:assert";
import { test } from "node:test";

test("the clicks of all links are counted", async () => {
  const headers = { Authorization: `Bearer ${process.env.LINKED_IS_API_TOKEN}` };
  const signal = AbortSignal.timeout(10_000);
  const response = await fetch(`${process.env.LINKED_IS_BASE_URL}/links`, { headers, signal });
  const { data } = await response.json();
  assert.equal(data.reduce((sum, link) => sum + link.clicks, 0), 3022);
});
