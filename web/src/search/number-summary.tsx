import { useEffect, useMemo } from "preact/hooks";
import { readTable, type FieldEntry, type Filter, type Table } from "./api";
import { Loaded } from "./loaded";

const numbers = new Intl.NumberFormat(undefined, { maximumSignificantDigits: 5 });
const FEW_VALUES = 12;

/** Whether a field measures something: numbers, and more of them than a list of values shows. */
export function isMeasure(field: FieldEntry): boolean {
  return field.distinct > FEW_VALUES && field.types.every((type) => type === "number" || type === "null");
}

/** The middle and the ends of a field's numbers. */
export function NumberSummary({ field, filter }: { field: FieldEntry; filter: Filter }) {
  const loaded = useMemo(() => new Loaded<Table>(), []);
  useEffect(() => {
    const { name } = field;
    const query = `${filter.query ?? "*"} | stats p50(${name}) as a, p95(${name}) as b, max(${name}) as c`;
    void loaded.load((signal) => readTable({ ...filter, query }, signal));
  }, [loaded, field, filter]);
  useEffect(() => () => loaded.clear(), [loaded]);
  const row = loaded.value.value?.rows[0];
  const [middle, most, largest] = (row ?? []).map((value) => (typeof value === "number" ? numbers.format(value) : "–"));
  return <p class="summary">{row ? `p50 ${middle} · p95 ${most} · max ${largest}` : "\u00a0"}</p>;
}
