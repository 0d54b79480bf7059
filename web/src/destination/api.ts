import { call } from "../api/client";
import { ApiProblem } from "../api/problem";
import type { DestinationForm, DestinationWithHealth, RoleSetup, StoredDestination, TestReport } from "../api/schema";

/** Null for an account without a destination. */
export async function readDestination(signal: AbortSignal): Promise<{ stored: DestinationWithHealth | null }> {
  try {
    return { stored: await call<DestinationWithHealth>("GET", "/v1/destination", { signal }) };
  } catch (fault) {
    if (fault instanceof ApiProblem && fault.code === "no_destination") return { stored: null };
    throw fault;
  }
}

/** Tests `form`, or the stored destination without one; takes up to 25 seconds. */
export function testDestination(form: DestinationForm | null): Promise<TestReport> {
  return call("POST", "/v1/destination/test", form === null ? {} : { body: form });
}

/**
 * Test a destination and store it if every step passes.
 *
 * @returns the report; nothing is stored when it is not usable
 */
export async function storeDestination(form: DestinationForm): Promise<TestReport> {
  try {
    const { steps, guarantee } = await call<StoredDestination>("PUT", "/v1/destination", { body: form });
    return { usable: true, guarantee: guarantee as TestReport["guarantee"], steps };
  } catch (fault) {
    if (fault instanceof ApiProblem && fault.code === "destination_unusable") {
      return { usable: false, guarantee: null, steps: fault.details["steps"] as TestReport["steps"] };
    }
    throw fault;
  }
}

export async function removeDestination(): Promise<void> {
  await call("DELETE", "/v1/destination");
}

export function readRole(bucket: string | undefined): Promise<RoleSetup> {
  return call("GET", "/v1/destination/role", { query: { bucket: bucket || undefined } });
}
