import type { ComponentChildren } from "preact";
import { Problem } from "./problem";
import type { Resource } from "./resource";
import { Skeleton } from "./skeleton";

/** A resource in each of its states: a skeleton, then the value; a problem with a retry, above the last value. */
export function Loaded<T>(props: { resource: Resource<T>; lines?: number; children: (value: T) => ComponentChildren }) {
  const { value, problem, reload } = props.resource;
  return (
    <>
      <Problem problem={problem} retry={() => void reload()} />
      {value !== null ? props.children(value) : !problem && <Skeleton lines={props.lines ?? 3} />}
    </>
  );
}
