import type { ComponentChildren } from "preact";
import "./panels.css";

/** A list without entries: what it is for, and how to fill it. */
export function Empty({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <div class="empty">
      <p class="empty-title">{title}</p>
      <div class="dim">{children}</div>
    </div>
  );
}
