/** Icons of 18x18, drawn in the colour of their text; `src/styles` sets size and stroke. */
const PATHS = {
  start: "M3 9.5 9 3l6 6.5M5 8v7h8V8",
  search: "M8 3a5 5 0 1 0 0 10A5 5 0 0 0 8 3ZM12 12l4 4",
  live: "M1 9h3l2-6 4 12 2-6h5",
  uploads: "M9 12V3M5 7l4-4 4 4M3 13v2h12v-2",
  usage: "M3 15V9M7 15V4M11 15v-5M15 15V7",
  keys: "M6 8.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7ZM8.5 9.5 15 3M12.5 5.5l2.5 2.5M10.5 7.5l1.5 1.5",
  privacy: "M9 2 3 4v5c0 4 3 6 6 7 3-1 6-3 6-7V4z",
  settings:
    "M9 6.6a2.4 2.4 0 1 0 0 4.8 2.4 2.4 0 0 0 0-4.8ZM9 1.5v2M9 14.5v2M1.5 9h2M14.5 9h2M3.7 3.7l1.4 1.4M12.9 12.9l1.4 1.4M3.7 14.3l1.4-1.4M12.9 5.1l1.4-1.4",
  notices: "M4 13V8a5 5 0 0 1 10 0v5M2.5 13h13M7.5 15.5h3",
  copy: "M6 6h9v9H6zM3 12V3h9",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 18 18" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
