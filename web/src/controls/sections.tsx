import { Link, useLocation } from "wouter-preact";
import "./panels.css";

/** Links to the pages of one area of the dashboard, above each of them. */
export function Sections({ label, links }: { label: string; links: readonly (readonly [string, string])[] }) {
  const [path] = useLocation();
  return (
    <nav class="sections" aria-label={label}>
      {links.map(([to, name]) => (
        <Link key={to} href={to} aria-current={path === to ? "page" : undefined}>
          {name}
        </Link>
      ))}
    </nav>
  );
}

export const SETTINGS_SECTIONS = [
  ["/settings", "Account"],
  ["/settings/destination", "Destination"],
  ["/settings/audit", "Audit"],
] as const;

export const UPLOAD_SECTIONS = [
  ["/uploads", "Files"],
  ["/uploads/quarantine", "Quarantine"],
] as const;
