import { ApiProblem } from "../api/problem";

/** What went wrong, in the API's words, with the id that support needs and a retry where one helps. */
export function Problem({ problem, retry }: { problem: Error | null; retry?: () => void }) {
  if (problem === null) return null;
  const id = problem instanceof ApiProblem && problem.status >= 500 ? problem.requestId : "";
  return (
    <div class="notice bad" role="alert">
      <p>{problem.message}</p>
      {id && <p class="faint">Request {id}</p>}
      {retry && (
        <button type="button" class="button small" onClick={retry}>
          Try again
        </button>
      )}
    </div>
  );
}
