import { describe, expect, it } from "vitest";
import { CLIENTS } from "./snippets";

describe.each(CLIENTS)("the snippet for $name", ({ text }) => {
  const key = "ast_sk_live_test";

  it("holds this installation's address and the key", () => {
    const snippet = text("https://logs.example.com", key);
    expect(snippet).toContain("logs.example.com");
    expect(snippet).toContain(key);
  });

  it("fits an address with a port and without TLS", () => {
    const snippet = text("http://127.0.0.1:8080", key);
    expect(snippet).toMatch(/127\.0\.0\.1(:|\s+Port\s+|\n\s+Port\s+)8080|127\.0\.0\.1:8080/);
    expect(snippet).not.toContain("https");
  });
});
