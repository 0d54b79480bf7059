import { describe, expect, it } from "vitest";
import { address, destinationBody, type Access } from "./form-body";

const ENTERED: Record<string, string> = {
  "bucket.name": "acme-logs",
  "bucket.region": "eu-central-1",
  "bucket.role_arn": "arn:aws:iam::111122223333:role/byoc-astralog",
  "bucket.access_key_id": "AKIA1",
  "bucket.secret_access_key": "secret",
  "clickhouse.host": "ch.acme.com:443",
  "clickhouse.database": "logs",
};

function body(access: Access) {
  return destinationBody((name) => ENTERED[name] ?? "", access);
}

describe("the body of a destination", () => {
  it("has a role or an access key, and never both", () => {
    expect(body("role").bucket).toEqual({
      name: "acme-logs",
      region: "eu-central-1",
      role_arn: ENTERED["bucket.role_arn"],
    });
    expect(body("key").bucket).toMatchObject({ access_key_id: "AKIA1", secret_access_key: "secret" });
    expect(body("key").bucket).not.toHaveProperty("role_arn");
  });

  it("leaves out what is stored already", () => {
    expect(body("kept").bucket).toEqual({ name: "acme-logs", region: "eu-central-1" });
    expect(body("kept").clickhouse).toEqual({ host: "ch.acme.com", port: 443, database: "logs" });
  });

  it("reads an address with or without scheme and port", () => {
    expect(address("ch.acme.com")).toEqual({ host: "ch.acme.com" });
    expect(address("https://ch.acme.com/")).toEqual({ host: "ch.acme.com" });
    expect(address("http://127.0.0.1:8123")).toEqual({ host: "127.0.0.1", port: 8123, secure: false });
    expect(address("[::1]:8443")).toEqual({ host: "::1", port: 8443 });
    expect(address("not a host/at all")).toEqual({ host: "not a host/at all" });
  });
});
