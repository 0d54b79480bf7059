import { describe, expect, it } from "vitest";
import css from "./tokens.css?raw";

function tokens(block: string): Map<string, string> {
  return new Map([...block.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6});/g)].map(([, name, value]) => [name!, value!]));
}

function luminance(hex: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const channel = parseInt(hex.slice(at, at + 2), 16) / 255;
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(one: string, other: string): number {
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

const light = css.slice(0, css.indexOf(':root[data-theme="dark"]'));
const themes = { light: tokens(light), dark: tokens(css.slice(light.length)) };
const text = ["text", "dim", "faint", "accent", "trace", "debug", "info", "warn", "error", "fatal", "ok"];

describe.each(Object.entries(themes))("the %s theme", (_name, theme) => {
  it.each(text)("shows %s with AA contrast on every background", (name) => {
    for (const background of ["bg", "raised", "sunken", "accent-bg"]) {
      expect(contrast(theme.get(name)!, theme.get(background)!), `on --${background}`).toBeGreaterThanOrEqual(4.5);
    }
  });

  it("shows marked hits and primary buttons with AA contrast", () => {
    expect(contrast(theme.get("hit-text")!, theme.get("hit")!)).toBeGreaterThanOrEqual(4.5);
    expect(contrast(theme.get("on-accent")!, theme.get("accent")!)).toBeGreaterThanOrEqual(4.5);
  });
});
