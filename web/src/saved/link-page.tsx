import { useEffect } from "preact/hooks";
import { Link, useLocation, useParams } from "wouter-preact";
import { ApiProblem } from "../api/problem";
import { Page } from "../app/frame";
import { Problem } from "../controls/problem";
import { useResource } from "../controls/resource";
import { Skeleton } from "../controls/skeleton";
import { writeAddress } from "../search/address";
import { readSaved } from "./api";
import { addressOf } from "./state";

/** A short link: the search page follows, with the state that was saved. */
export function SavedLinkPage() {
  const { id = "" } = useParams<{ id: string }>();
  return <Followed key={id} id={id} />;
}

function Followed({ id }: { id: string }) {
  const [, navigate] = useLocation();
  const { value: saved, problem, reload } = useResource((signal) => readSaved(id, signal));
  useEffect(() => {
    if (saved) navigate(writeAddress(addressOf(saved)), { replace: true });
  }, [saved]);
  const isGone = problem instanceof ApiProblem && problem.code === "not_found";
  return (
    <Page title="Saved search">
      {isGone ? (
        <p>
          This account has no saved search with this link. It was deleted, or it belongs to another account.{" "}
          <Link href="/search">Search</Link>
        </p>
      ) : problem ? (
        <Problem problem={problem} retry={() => void reload()} />
      ) : (
        <Skeleton lines={6} />
      )}
    </Page>
  );
}
