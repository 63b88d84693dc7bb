// Contrast of everything that is text or says something, computed from the tokens as WCAG 2 does.

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const css = readFileSync("src/ui/style/tokens.css", "utf8");

function tokens(theme: "light" | "dark"): Map<string, string> {
  return new Map(
    [...css.matchAll(/--([\w-]+): light-dark\((#\w+), (#\w+)\)/g)].map(
      ([, name = "", light = "", dark = ""]) => [name, theme === "light" ? light : dark],
    ),
  );
}

function luminance(hex: string): number {
  const channel = (at: number): number => {
    const value = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5);
}

function contrast(one: string, other: string): number {
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].toSorted((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

const grounds = ["ground", "surface", "sunken"];
const states = ["passing", "warning", "critical", "maintenance"];

test.each(["light", "dark"] as const)("%s", (theme) => {
  const named = tokens(theme);
  const of = (name: string): string => named.get(name) ?? "";
  expect(contrast("#000000", "#ffffff")).toBeCloseTo(21);
  const low: string[] = [];
  const need = (one: string, on: string, least: number): void => {
    const ratio = contrast(of(one), of(on));
    if (!(ratio >= least)) low.push(`${one} on ${on}: ${ratio.toFixed(2)} < ${least}`);
  };
  for (const ground of grounds) {
    need("text", ground, 7);
    for (const name of ["muted", "accent", ...states]) need(name, ground, 4.5);
    need("border", ground, 3);
  }
  for (const state of states) need(state, `${state}-tint`, 4.5);
  for (const name of ["text", "muted", "accent"]) need(name, "selected", 4.5);
  need("on-accent", "accent", 4.5);
  need("ground", "text", 4.5);
  expect(low).toEqual([]);
});
