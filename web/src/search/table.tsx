import type { Table } from "./api";
import { Marked } from "./marked";
import { lineTime } from "./range";

const numbers = new Intl.NumberFormat(undefined, { maximumFractionDigits: 3 });
const MOST_ROWS = 1000;

/** What a query with pipes makes of the events. */
export function TableView({ table, stale }: { table: Table; stale: boolean }) {
  const { columns, rows } = table;
  return (
    <div class={stale ? "stats-table stale" : "stats-table"} tabIndex={0} role="region" aria-label="Table">
      {rows.length === 0 && <p class="dim">The table has no rows.</p>}
      {rows.length > 0 && (
        <table>
          <thead>
            <tr>
              {columns.map(({ name, type }) => (
                <th key={name} scope="col" class={type}>
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.slice(0, MOST_ROWS).map((row, index) => (
              <tr key={index}>
                {row.map((value, at) => (
                  <td key={at} class={columns[at]!.type}>
                    <Marked text={cellText(value, columns[at]!.type)} />
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {(table.truncated || rows.length > MOST_ROWS) && (
        <p class="faint">The table has more rows. Add “| limit 1000” or a condition to see those that matter.</p>
      )}
    </div>
  );
}

function cellText(value: string | number | null, type: Table["columns"][number]["type"]): string {
  if (value === null) return "–";
  if (type === "time") return lineTime(String(value), true);
  return typeof value === "number" ? numbers.format(value) : value;
}
