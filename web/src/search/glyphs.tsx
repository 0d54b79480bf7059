/** Small signs for actions on a field, in the colour of their text. */
const PATHS = {
  column: "M1.5 1.5h9v9h-9zM4.5 1.5v9M7.5 1.5v9",
  pin: "M6 1l1.5 3.2 3.5.4-2.6 2.4.7 3.5L6 8.8 2.9 10.5l.7-3.5L1 4.6l3.5-.4z",
} as const;

export function Glyph({ name }: { name: keyof typeof PATHS }) {
  return (
    <svg class="glyph" viewBox="0 0 12 12" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
