import { effect, signal } from "@preact/signals";

export type Theme = "system" | "light" | "dark";

const STORED = "astralog.theme";
const dark = matchMedia("(prefers-color-scheme: dark)");

/** The person's choice; "system" follows the system's theme. */
export const theme = signal<Theme>(read());

/** Show the chosen theme now and whenever the choice or the system's theme changes. */
export function applyTheme(): void {
  const show = () => {
    const isDark = theme.value === "dark" || (theme.value === "system" && dark.matches);
    document.documentElement.dataset["theme"] = isDark ? "dark" : "light";
  };
  effect(show);
  dark.addEventListener("change", show);
}

export function chooseTheme(chosen: Theme): void {
  theme.value = chosen;
  try {
    localStorage.setItem(STORED, chosen);
  } catch {
    // A browser that stores nothing keeps the choice for this visit.
  }
}

function read(): Theme {
  try {
    const stored = localStorage.getItem(STORED);
    return stored === "light" || stored === "dark" ? stored : "system";
  } catch {
    return "system";
  }
}
