import { dev } from "./dev.ts";
import { production } from "./production.ts";
import type { Settings } from "./settings.ts";

export const ENVIRONMENTS: Readonly<Record<string, Settings>> = { dev, production };
