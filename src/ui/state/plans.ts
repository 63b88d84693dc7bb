// The plan that is shown, if one is.

import { signal } from "@preact/signals";

import type { Plan } from "../model/plan.ts";

export const plan = signal<Plan | null>(null);
