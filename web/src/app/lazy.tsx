import type { FunctionComponent } from "preact";
import { Problem } from "../controls/problem";
import { useResource } from "../controls/resource";
import { Skeleton } from "../controls/skeleton";

/** A page whose code is loaded when it is first opened, so that the first load stays small. */
export function lazyPage(load: () => Promise<FunctionComponent>): FunctionComponent {
  let loaded: FunctionComponent | null = null;
  return function LazyPage() {
    const page = useResource(async () => (loaded ??= await load()));
    const Shown = loaded ?? page.value;
    if (Shown) return <Shown />;
    return <div class="page">{page.problem ? <NotLoaded /> : <Skeleton lines={6} />}</div>;
  };
}

/** What is shown in place of a part whose code cannot be loaded. */
export function NotLoaded() {
  return <Problem problem={NOT_LOADED} retry={() => location.reload()} />;
}

const NOT_LOADED = new Error("This page cannot be loaded. Check the connection, then try again.");
