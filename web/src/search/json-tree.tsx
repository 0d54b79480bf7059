import { isLosslessNumber } from "lossless-json";
import { useState } from "preact/hooks";
import { counted } from "../controls/format";
import { visibleJson } from "./pieces";

const MOST_CHILDREN = 200;
const OPEN_DEPTH = 2;
const MOST_TEXT = 10_000;

/** JSON as a tree whose objects and arrays open and close; numbers have the digits that were sent. */
export function JsonTree({ value }: { value: unknown }) {
  return (
    <div class="json" tabIndex={0} role="group" aria-label="JSON">
      <Node name={null} value={value} depth={0} />
    </div>
  );
}

function Node({ name, value, depth }: { name: string | null; value: unknown; depth: number }) {
  const key = name !== null && <span class="key">{visibleJson(name)}: </span>;
  if (!isTree(value)) {
    return (
      <div class="leaf">
        {key}
        <Leaf value={value} />
      </div>
    );
  }
  return <Tree name={name} value={value} depth={depth} />;
}

function Tree({ name, value, depth }: { name: string | null; value: object; depth: number }) {
  const [shown, setShown] = useState(MOST_CHILDREN);
  const [open, setOpen] = useState(depth < OPEN_DEPTH);
  const isArray = Array.isArray(value);
  const entries = Object.entries(value);
  const [begin, end] = isArray ? ["[", "]"] : ["{", "}"];
  const key = name !== null && <span class="key">{visibleJson(name)}: </span>;
  if (entries.length === 0) {
    return (
      <div class="leaf">
        {key}
        {begin}
        {end}
      </div>
    );
  }
  return (
    <details open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        {key}
        {begin}
        {!open && (
          <span class="dim">
            {" "}
            {counted(entries.length, isArray ? "value" : "key")} {end}
          </span>
        )}
      </summary>
      {open && (
        <div class="children">
          {entries.slice(0, shown).map(([each, inner]) => (
            <Node key={each} name={isArray ? null : each} value={inner} depth={depth + 1} />
          ))}
          {entries.length > shown && (
            <button type="button" class="button plain small" onClick={() => setShown(shown * 10)}>
              {entries.length - shown} more
            </button>
          )}
        </div>
      )}
      {open && end}
    </details>
  );
}

function Leaf({ value }: { value: unknown }) {
  if (typeof value === "string") return <LongText text={value} />;
  if (isLosslessNumber(value)) return <span class="number">{value.toString()}</span>;
  return <span class="constant">{String(value)}</span>;
}

function LongText({ text }: { text: string }) {
  const [all, setAll] = useState(false);
  const rest = text.length - MOST_TEXT;
  return (
    <>
      <bdi class="string">{visibleJson(all ? text : text.slice(0, MOST_TEXT))}</bdi>
      {!all && rest > 0 && (
        <button type="button" class="button plain small" onClick={() => setAll(true)}>
          {counted(rest, "more character")}
        </button>
      )}
    </>
  );
}

function isTree(value: unknown): value is object {
  return typeof value === "object" && value !== null && !isLosslessNumber(value);
}
