import { Link } from "wouter-preact";
import { useResource } from "../controls/resource";
import { readBilling } from "./api";
import { standing } from "./standing";

/** Where logs are missing: that new ones are rejected, if they are, and where that is changed. */
export function Rejecting() {
  const { value: billing } = useResource(readBilling);
  if (!billing || billing.accepting) return null;
  return (
    <p class="notice bad">
      {standing(billing).text} <Link href="/billing">See why</Link>
    </p>
  );
}
