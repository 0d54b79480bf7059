import { useEffect, useState } from "preact/hooks";
import { Submit } from "../controls/submit";
import { useSubmission } from "../controls/submission";
import { resumeSession } from "../session/session";
import { Entrance } from "./frame";

const FIRST_PAUSE_MS = 2000;
const LONGEST_PAUSE_MS = 30_000;

/** Before it is known who is there; a fast answer leaves it empty. */
export function Starting() {
  return (
    <p class="starting" role="status">
      Loading…
    </p>
  );
}

/** The API could not be asked whether there is a session: it is asked again, ever less often, and on request. */
export function Unreachable() {
  const [attempt, setAttempt] = useState(0);
  const form = useSubmission([], resumeSession);
  useEffect(() => {
    const again = () => void resumeSession().finally(() => setAttempt(attempt + 1));
    const timer = setTimeout(again, Math.min(FIRST_PAUSE_MS * 2 ** attempt, LONGEST_PAUSE_MS));
    addEventListener("online", again);
    return () => {
      clearTimeout(timer);
      removeEventListener("online", again);
    };
  }, [attempt]);
  return (
    <Entrance
      title="AstraLog cannot be reached"
      about="You are still signed in if you were. The page continues by itself when the connection is back."
    >
      <form onSubmit={form.onSubmit}>
        <Submit form={form} busy="Trying…">
          Try again
        </Submit>
      </form>
    </Entrance>
  );
}
