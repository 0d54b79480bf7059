import { useState } from "preact/hooks";
import { call } from "../api/client";
import type { AccountProfile } from "../api/schema";
import { Check } from "../controls/field";
import { Problem } from "../controls/problem";

/** Whether the person gets mails about new features; saved as soon as it is changed. */
export function MarketingChoice({ optedIn }: { optedIn: boolean }) {
  const [chosen, setChosen] = useState(optedIn);
  const [problem, setProblem] = useState<Error | null>(null);
  const [saved, setSaved] = useState(false);

  async function choose(wanted: boolean): Promise<void> {
    setChosen(wanted);
    setSaved(false);
    setProblem(null);
    try {
      await call<AccountProfile>("PATCH", "/v1/account", { body: { marketing_opt_in: wanted } });
      setSaved(true);
    } catch (fault) {
      setChosen(!wanted);
      setProblem(fault as Error);
    }
  }

  return (
    <>
      <Check
        name="marketing"
        label="Mails about new features. Mails about your account always arrive."
        checked={chosen}
        onChange={(event) => void choose(event.currentTarget.checked)}
      />
      <Problem problem={problem} />
      <p role="status" class="dim" hidden={!saved}>
        {saved ? "Saved." : ""}
      </p>
    </>
  );
}
